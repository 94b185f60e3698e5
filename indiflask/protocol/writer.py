"""Messages into bytes: UTF-8, double quotes, everything escaped that must be; a frame ends at its last ``>``.

No ``enclen`` is written but for base64 that came with one and is passed on as it came: libindi assumes its own line
lengths for it, and hangs on any other layout (INDI.md, trap 1). Members stand in the order given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple

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
from indiflask.protocol.schema import ELEMENTS, SHAPES, Attribute, ElementShape, MemberShape, tag_of

__all__ = ["pack", "write"]

#: Properties whose names are kept ready to be written, and the length of both of the names that are kept: some 2 MB.
KEPT_HEADS: Final = 4096
KEPT_LENGTH: Final = 100


def write(element: Element) -> bytes:
    """An element's bytes. Raises `ProtocolError` for the one that INDI does not have, ``newLightVector``."""
    return pack(element).data


def pack(element: Element) -> Frame:
    """An element as a frame: what framing makes of `write`'s bytes, without reading them again."""
    if isinstance(element, DefVector | SetVector | NewVector):
        return _vector(element)
    tag = tag_of(element)
    start = _STARTS[tag](f"<{tag}", element)
    text = f"{start}>{element.mode.value}</{tag}>" if isinstance(element, EnableBlob) else f"{start}/>"
    device, name = getattr(element, "device", None), getattr(element, "name", None)
    return Frame(text.encode(), tag.encode(), clean(device or "").encode(), clean(name or "").encode())


def _vector(vector: DefVector | SetVector | NewVector) -> Frame:
    head = _head(tag_of(vector), vector.device, vector.name)
    start = _STARTS[head.tag](head.opening, vector)
    attached = 0
    if not vector.members:
        data = f"{start}/>".encode()
    elif vector.kind is Kind.BLOB and not isinstance(vector, DefVector):
        blobs = [member for member in vector.members if isinstance(member, OneBlob)]
        attached = sum(blob.attached for blob in blobs)
        data = b"%b>%b</%b>" % (start.encode(), b"".join(map(_blob, blobs)), head.wire_tag)
    else:
        members = "".join([_member(one, head.child) for one in vector.members if not isinstance(one, OneBlob)])
        data = f"{start}>{members}</{head.tag}>".encode()
    return Frame(data, head.wire_tag, head.device, head.name, attached)


class _Head(NamedTuple):
    """What a property's vectors have in common."""

    tag: str
    child: str
    opening: str
    """The start tag up to the name."""
    wire_tag: bytes
    device: bytes
    name: bytes


def _head(tag: str, device: str, name: str) -> _Head:
    """A property is written again and again: its names are made ready once. Long ones are nobody's, and not kept."""
    return (_kept_head if len(device) + len(name) <= KEPT_LENGTH else _make_head)(tag, device, name)


def _make_head(tag: str, device: str, name: str) -> _Head:
    if tag not in ELEMENTS:
        raise ProtocolError(f"INDI has no element <{tag}>: lights are read-only")
    opening = f'<{tag} device="{escape(device)}" name="{escape(name)}"'
    return _Head(tag, ELEMENTS[tag].member, opening, tag.encode(), clean(device).encode(), clean(name).encode())


_kept_head = lru_cache(maxsize=KEPT_HEADS)(_make_head)


def _member(member: DefMember | OneMember, tag: str) -> str:
    start = f'<{tag} name="{escape(member.name)}"'
    if type(member) is not OneMember:
        start = _STARTS[tag](start, member)
    return f"{start}>{escape_content(member.value)}</{tag}>" if member.value else f"{start}/>"


def _blob(blob: OneBlob) -> bytes:
    start = _STARTS["oneBLOB"](f'<oneBLOB name="{escape(blob.name)}"', blob).encode()
    return b"%b>%b</oneBLOB>" % (start, blob.base64) if blob.base64 else start + b"/>"


def _start(attributes: Sequence[Attribute]) -> Callable[[str, object], str]:
    """Writes these attributes behind the opening of a start tag; those that the record does not give are left out."""
    pieces = [(f' {attribute.name}="', attribute.write) for attribute in attributes]
    get = _getter([attribute.field for attribute in attributes])

    def start(opening: str, record: object) -> str:
        for (piece, write), value in zip(pieces, get(record), strict=True):
            if value is not None and value is not False:
                opening += f'{piece}{write(value)}"'
        return opening

    return start


def _getter(fields: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda record: tuple([getattr(record, field) for field in fields])


def _attributes_behind(shape: ElementShape | MemberShape) -> list[Attribute]:
    """Those that stand behind the names of a vector or a member; of other elements all."""
    is_plain = isinstance(shape, ElementShape) and shape.kind is None
    return [one for one in shape.attributes if is_plain or one.name not in ("device", "name")]


_STARTS: Final = {shape.tag: _start(_attributes_behind(shape)) for shape in SHAPES}
