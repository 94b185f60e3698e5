"""Messages into bytes: UTF-8, double quotes, everything escaped that must be; a frame ends at its last ``>``.

No ``enclen`` is written but for base64 that came with one and is passed on as it came: libindi assumes its own line
lengths for it, and hangs on any other layout (INDI.md, trap 1). Members stand in the order given.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.escapes import clean, escape, escape_content
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefMember,
    DefVector,
    Element,
    EnableBlob,
    Kind,
    NewVector,
    OneBlob,
    OneMember,
    SetVector,
)
from indiflask.protocol.schema import ELEMENTS, SHAPES, Attribute, tag_of

__all__ = ["pack", "write"]


def write(element: Element) -> bytes:
    """An element's bytes. Raises `ProtocolError` for the one that INDI does not have, ``newLightVector``."""
    return _write(element, tag_of(element))


def pack(element: Element) -> Frame:
    """An element as a frame: what framing makes of `write`'s bytes, without reading them again."""
    tag = tag_of(element)
    device, name = _name(getattr(element, "device", None)), _name(getattr(element, "name", None))
    attached = 0
    if isinstance(element, SetVector | NewVector) and element.kind is Kind.BLOB:
        attached = sum([isinstance(member, OneBlob) and member.attached for member in element.members])
    return Frame(_write(element, tag), tag.encode(), device, name, attached)


def _name(text: str | None) -> bytes:
    return clean(text).encode() if text else b""


def _write(element: Element, tag: str) -> bytes:
    starts = _STARTS.get(tag)
    if starts is None:
        raise ProtocolError(f"INDI has no element <{tag}>: lights are read-only")
    start = starts(element)
    if isinstance(element, EnableBlob):
        return f"{start}>{element.mode.value}</{tag}>".encode()
    if not isinstance(element, DefVector | SetVector | NewVector) or not element.members:
        return f"{start}/>".encode()
    child = ELEMENTS[tag].member
    if child == "oneBLOB":
        blobs = b"".join([_blob(member) for member in element.members if isinstance(member, OneBlob)])
        return b"%b>%b</%b>" % (start.encode(), blobs, tag.encode())
    members = "".join([_member(member, child) for member in element.members if not isinstance(member, OneBlob)])
    return f"{start}>{members}</{tag}>".encode()


def _member(member: DefMember | OneMember, tag: str) -> str:
    start = f'<{tag} name="{escape(member.name)}"' if type(member) is OneMember else _STARTS[tag](member)
    return f"{start}>{escape_content(member.value)}</{tag}>" if member.value else f"{start}/>"


def _blob(blob: OneBlob) -> bytes:
    start = _STARTS["oneBLOB"](blob).encode()
    return b"%b>%b</oneBLOB>" % (start, blob.base64) if blob.base64 else start + b"/>"


def _start(tag: str, attributes: tuple[Attribute, ...]) -> Callable[[object], str]:
    """Writes a start tag without its end; attributes that the record does not give are left out."""
    opening = f"<{tag}"
    pieces = [(f' {attribute.name}="', attribute.write) for attribute in attributes]
    get: Callable[[Any], tuple[object, ...]] = attrgetter(*(attribute.field for attribute in attributes))
    if len(pieces) == 1:
        (only, write) = pieces[0]
        return lambda record: f'{opening}{only}{write(get(record))}"'

    def start(record: object) -> str:
        text = opening
        for (piece, write), value in zip(pieces, get(record), strict=True):
            if value is not None and value is not False:
                text += f'{piece}{write(value)}"'
        return text

    return start


_STARTS: Final = {shape.tag: _start(shape.tag, shape.attributes) for shape in SHAPES}
