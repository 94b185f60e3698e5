"""Messages into bytes: UTF-8, double quotes, everything escaped that must be; a frame ends at its last ``>``.

No ``enclen`` is written but for base64 that came with one and is passed on as it came: libindi assumes its own line
lengths for it, and hangs on any other layout (INDI.md, trap 1). Members stand in the order given.
"""

from __future__ import annotations

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.escapes import clean, escape, escape_content
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefMember,
    DefVector,
    Element,
    EnableBlob,
    NewVector,
    OneBlob,
    OneMember,
    SetVector,
)
from indiflask.protocol.schema import ELEMENTS, MEMBERS, Attribute, MemberShape, tag_of

__all__ = ["pack", "write"]


def write(element: Element) -> bytes:
    """An element's bytes. Raises `ProtocolError` for the one that INDI does not have, ``newLightVector``."""
    return _write(element, tag_of(element))


def pack(element: Element) -> Frame:
    """An element as a frame: what framing makes of `write`'s bytes, without reading them again."""
    tag = tag_of(element)
    device, name = getattr(element, "device", None), getattr(element, "name", None)
    attached = 0
    if isinstance(element, SetVector | NewVector):
        attached = sum(isinstance(member, OneBlob) and member.attached for member in element.members)
    return Frame(_write(element, tag), tag.encode(), clean(device or "").encode(), clean(name or "").encode(), attached)


def _write(element: Element, tag: str) -> bytes:
    shape = ELEMENTS.get(tag)
    if shape is None:
        raise ProtocolError(f"INDI has no element <{tag}>: lights are read-only")
    start = f"<{tag}{_attributes(element, shape.attributes)}"
    if isinstance(element, EnableBlob):
        return f"{start}>{element.mode.value}</{tag}>".encode()
    if not isinstance(element, DefVector | SetVector | NewVector) or not element.members:
        return f"{start}/>".encode()
    child = MEMBERS[shape.member]
    if child.tag == "oneBLOB":
        blobs = b"".join(_blob(member, child) for member in element.members if isinstance(member, OneBlob))
        return b"%b>%b</%b>" % (start.encode(), blobs, tag.encode())
    members = "".join([_member(member, child) for member in element.members if not isinstance(member, OneBlob)])
    return f"{start}>{members}</{tag}>".encode()


def _member(member: DefMember | OneMember, shape: MemberShape) -> str:
    start = f"<{shape.tag}{_attributes(member, shape.attributes)}"
    return f"{start}>{escape_content(member.value)}</{shape.tag}>" if member.value else f"{start}/>"


def _blob(blob: OneBlob, shape: MemberShape) -> bytes:
    start = f"<{shape.tag}{_attributes(blob, shape.attributes)}".encode()
    return b"%b>%b</oneBLOB>" % (start, blob.base64) if blob.base64 else start + b"/>"


def _attributes(record: object, attributes: tuple[Attribute, ...]) -> str:
    """A start tag's attributes, a blank before each; those that the record does not give are left out."""
    parts = []
    for attribute in attributes:
        value = getattr(record, attribute.field, None)
        if value is not None and value is not False:
            parts.append(f' {attribute.name}="{escape(attribute.write(value))}"')
    return "".join(parts)
