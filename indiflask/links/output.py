"""What a child prints, line by line, with its name."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress

import anyio
from anyio.abc import ByteReceiveStream

LINE_BYTES = 2000
"""Of a line; drivers have written megabytes without a newline."""


async def copy_lines(output: ByteReceiveStream, name: str) -> None:
    """Copy it to stderr until its end. Of a long line the beginning."""
    rest, cut = b"", False
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            data = await output.receive()
            if cut:
                _, end, data = data.partition(b"\n")
                cut = not end
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines, rest, cut = [*lines, rest], b"", True
            _print(lines, name)
    _print([rest] if rest else [], name)


def _print(lines: Iterable[bytes], name: str) -> None:
    for line in lines:
        text = line[:LINE_BYTES].decode(errors="replace").rstrip("\r") + " …" * (len(line) > LINE_BYTES)
        with suppress(OSError):  # nobody reads the log any more: clients are served all the same
            sys.stderr.write(f"{name} | {text}\n")
