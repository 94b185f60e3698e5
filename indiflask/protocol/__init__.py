"""INDI as bytes: framing, reading and writing, without IO and without a clock.

Bytes become `Frame` objects by a `Framer`, frames become messages by `read`, messages become bytes by `write`:

>>> from indiflask.protocol import Framer, read
>>> [frame] = Framer().feed(b'<message device="Dome" message="closing"/>')
>>> read(frame)
Message(message='closing', device='Dome', timestamp=None)

Whatever bytes come in, the result is frames or one `ProtocolError` that says where and why.
"""

from indiflask.protocol.blobs import compress, decode_base64, decode_blob, decompress, encode_base64
from indiflask.protocol.errors import IndiError, ProtocolError
from indiflask.protocol.frames import Frame, Framer
from indiflask.protocol.limits import Limits
from indiflask.protocol.messages import (
    BlobMode,
    DefMember,
    DefNumber,
    DefVector,
    DelProperty,
    Element,
    EnableBlob,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneBlob,
    OneMember,
    OneNumber,
    Permission,
    PingReply,
    PingRequest,
    Rule,
    SetVector,
    State,
)
from indiflask.protocol.numbers import NumberError, check_format, format_number, number_text, parse_number
from indiflask.protocol.reader import read
from indiflask.protocol.timestamps import format_timestamp, parse_timestamp
from indiflask.protocol.wirelog import shorten
from indiflask.protocol.writer import pack, write

__all__ = [
    "BlobMode",
    "DefMember",
    "DefNumber",
    "DefVector",
    "DelProperty",
    "Element",
    "EnableBlob",
    "Frame",
    "Framer",
    "GetProperties",
    "IndiError",
    "Kind",
    "Limits",
    "Message",
    "NewVector",
    "NumberError",
    "OneBlob",
    "OneMember",
    "OneNumber",
    "Permission",
    "PingReply",
    "PingRequest",
    "ProtocolError",
    "Rule",
    "SetVector",
    "State",
    "check_format",
    "compress",
    "decode_base64",
    "decode_blob",
    "decompress",
    "encode_base64",
    "format_number",
    "format_timestamp",
    "number_text",
    "pack",
    "parse_number",
    "parse_timestamp",
    "read",
    "shorten",
    "write",
]
