"""BLOBs between data and wire: base64, and zlib for the formats that end in ``.z``."""

from __future__ import annotations

import binascii
import re
import zlib
from typing import Final

import pybase64

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.limits import BLOB_BYTES
from indiflask.protocol.messages import OneBlob

__all__ = ["compress", "decode_base64", "decode_blob", "decompress", "encode_base64"]

_WHITE: Final = b" \t\r\n"
_ILLEGAL: Final = re.compile(rb"[^A-Za-z0-9+/= \t\r\n]")
_NO_SIZE: Final = "a BLOB needs the attribute size: the bytes of its data before base64"


def encode_base64(data: bytes | memoryview) -> bytes:
    """Data as one line of base64: with libindi's ``enclen`` left out, any layout is read (INDI.md, trap 1)."""
    return pybase64.b64encode(data)


def decode_base64(text: bytes, size: int | None) -> bytes:
    """The ``size`` bytes that ``text`` stands for; white space in it is skipped.

    Raises `ProtocolError` where the text has other characters, ends early, holds more or fewer bytes than
    announced, or where no size was announced: a truncated image must not pass for a whole one.
    """
    if size is None:
        raise ProtocolError(_NO_SIZE)
    data = _decode(text)
    if len(data) != size:
        raise ProtocolError(f"the BLOB holds {len(data)} bytes, but its size says {size}")
    return data


def decode_blob(one: OneBlob, limit: int = BLOB_BYTES) -> bytes:
    """The data of a BLOB, inflated where its format ends in ``.z``; at most ``limit`` bytes.

    ``size`` may count a compressed BLOB's bytes before or after compression: libindi's drivers do the former,
    others the latter, and zlib's checksum vouches for the data either way. Raises `ProtocolError`.
    """
    if not one.format.endswith(".z"):
        return decode_base64(one.base64, one.size)
    if one.size is None:
        raise ProtocolError(_NO_SIZE)
    packed = _decode(one.base64)
    data = decompress(packed, limit)
    if one.size not in {len(data), len(packed)}:
        raise ProtocolError(f"the BLOB inflates from {len(packed)} to {len(data)} bytes, but its size says {one.size}")
    return data


def compress(data: bytes) -> bytes:
    """Data as zlib packs it. Level 1: a camera waits for it, and on pixels more effort gains next to nothing."""
    return zlib.compress(data, 1)


def decompress(data: bytes, limit: int) -> bytes:
    """What zlib packed, at most ``limit`` bytes of it: a few KiB may inflate to gigabytes. Raises `ProtocolError`."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise ProtocolError(f"the BLOB is not zlib, though its format ends in .z: {error}") from None
    if len(plain) > limit:
        raise ProtocolError(f"the BLOB inflates to more than {limit} bytes")
    if not inflater.eof:
        raise ProtocolError("the compressed BLOB ends early")
    if inflater.unused_data:
        raise ProtocolError(f"{len(inflater.unused_data)} bytes follow the end of the compressed BLOB")
    return plain


def _decode(text: bytes) -> bytes:
    try:
        return pybase64.b64decode(text.translate(None, _WHITE), validate=True)
    except binascii.Error as error:
        illegal = _ILLEGAL.search(text)
        if illegal is not None:
            raise ProtocolError(f"{chr(illegal[0][0])!r} is no base64", illegal.start()) from None
        raise ProtocolError(f"the BLOB's base64 is broken: {error}", len(text)) from None
