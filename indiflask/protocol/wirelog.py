"""A frame as one line for logs: blanks collapsed, BLOBs counted instead of shown, and never longer than a screen."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["shorten"]

#: Characters of a line; a definition of some members still shows its start and what matters of it.
LINE_LENGTH: Final = 400

#: Of a large frame nobody reads the end, and looking at it costs: only this much is looked at, and its last tag.
_HEAD: Final = 4096

_BLOB: Final = re.compile(rb"(<oneBLOB[^<]*?>)([^<]{80,})")
_BLANKS: Final = re.compile(rb"[ \t\r\n]+")


def shorten(data: bytes) -> str:
    """A frame, or any bytes, as one readable line: ``<setBLOBVector ...><oneBLOB ...>[15360 bytes]</oneBLOB>...``."""
    found = _BLOB.search(data, 0, _HEAD)
    if found is not None:
        end = data.find(b"<", found.end())
        end = len(data) if end < 0 else end
        data = data[: found.end(1)] + b"[%d bytes]" % (end - found.end(1)) + data[end : end + _HEAD]
    line = _BLANKS.sub(b" ", data[:_HEAD]).decode(errors="replace").strip()
    line = "".join(character if character.isprintable() else "\ufffd" for character in line)
    if len(line) <= LINE_LENGTH and len(data) <= _HEAD:
        return line
    return f"{line[:LINE_LENGTH]}… [{len(data)} bytes]"
