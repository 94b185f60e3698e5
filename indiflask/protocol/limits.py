"""Every bound on what a peer may make us hold, each with its reason. Larger input is a `ProtocolError`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "ATTRIBUTES",
    "BLOB_BYTES",
    "COMMENT_BYTES",
    "FORMAT_WIDTH",
    "MEMBERS",
    "MESSAGE_BYTES",
    "OPEN_BYTES_PER_SECOND",
    "OPEN_SECONDS",
    "REFERENCE_BYTES",
    "START_TAG_BYTES",
    "Limits",
]

#: A whole element without BLOBs. The largest that libindi's drivers send are definitions of some hundred members,
#: less than 100 KiB; forty times that leaves room for a text property that holds a file.
MESSAGE_BYTES: Final = 4 * 1024 * 1024

#: A whole element with BLOBs, base64 included: 384 MiB of data, which a 61 megapixel camera's three colours at
#: 16 bit (366 MB) fit into. Also the most that a compressed BLOB may inflate to.
BLOB_BYTES: Final = 512 * 1024 * 1024

#: One start tag. A ``message`` attribute with a traceback in it has some KiB; a tag that never ends stops here.
START_TAG_BYTES: Final = 64 * 1024

#: Attributes of one tag: INDI's richest element has twelve; the rest is room for what libindi may add.
ATTRIBUTES: Final = 64

#: Members of one vector: eight DMX universes of 512 channels.
MEMBERS: Final = 4096

#: A comment or ``<?xml ...?>`` between elements, which is dropped, but only once its end has been seen.
COMMENT_BYTES: Final = 64 * 1024

#: One reference, ``&amp;`` to ``&#x10FFFF;``, with some leading zeros; XML allows any number of these.
REFERENCE_BYTES: Final = 32

#: Width and precision in a number format: ``%999999999d`` would be a gigabyte of blanks in each client.
FORMAT_WIDTH: Final = 100

#: How long an element may stay open: this grace, for a stalled wireless link ...
OPEN_SECONDS: Final = 30.0

#: ... and a second for each so many bytes, the pace of a very slow modem line, so that a large BLOB may take its
#: time but a byte a minute may not.
OPEN_BYTES_PER_SECOND: Final = 4096.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds that one connection is held to; tests and listeners may set others. Bytes, counts, seconds."""

    message_bytes: int = MESSAGE_BYTES
    blob_bytes: int = BLOB_BYTES
    start_tag_bytes: int = START_TAG_BYTES
    comment_bytes: int = COMMENT_BYTES
    attributes: int = ATTRIBUTES
    members: int = MEMBERS
    open_seconds: float = OPEN_SECONDS
    open_bytes_per_second: float = OPEN_BYTES_PER_SECOND

    def open_time(self, open_bytes: int) -> float:
        """Seconds that an element of which ``open_bytes`` have come may have been open. The link has the clock."""
        return self.open_seconds + open_bytes / self.open_bytes_per_second
