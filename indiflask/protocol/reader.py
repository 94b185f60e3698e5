"""Frames into messages: expressions over bytes that framing has checked, and no tree.

What a message cannot be without is asked for, and its words must be INDI's; for the rest the reader is patient, as
INDI's other programs are: unknown attributes, unreadable times and text between members are passed over. Values of
members are not judged here, since what they mean needs the definition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.escapes import unescape
from indiflask.protocol.frames import Frame, Framer
from indiflask.protocol.messages import BlobMode, Element, Kind, NewVector, OneMember
from indiflask.protocol.schema import ELEMENTS, MEMBERS, SHAPES, Attribute, Member, MemberShape

__all__ = ["read"]

_ATTRIBUTES: Final = re.compile(
    rb"""[ \t\r\n]*+([A-Za-z_][A-Za-z0-9_.-]*+)[ \t\r\n]*+=[ \t\r\n]*+(?:"([^"]*+)"|'([^']*+)')"""
)
_START_TAG: Final = re.compile(
    rb"""<([A-Za-z_][A-Za-z0-9_.-]*+)((?:[^>"'/]*+(?:"[^"]*+"|'[^']*+'))*)[ \t\r\n]*+(/?)>"""
)
_BLANKS: Final = b" \t\r\n"
_REQUESTS: Final = {
    f"new{kind.value}Vector".encode(): (
        kind,
        re.compile(rf'<one{kind.value}[ \t\n]++name="([^"]*+)"[ \t\n]*+>([^<]*+)</one'),
    )
    for kind in (Kind.TEXT, Kind.NUMBER, Kind.SWITCH)
}


@dataclass(frozen=True, slots=True)
class _Attributes:
    """A tag's attributes by the bytes of their names, and the fields without which its record cannot be."""

    known: dict[bytes, Attribute]
    required: frozenset[str]


_ATTRIBUTES_OF: Final = {
    shape.tag: _Attributes(
        {attribute.name.encode(): attribute for attribute in shape.attributes},
        frozenset(attribute.field for attribute in shape.attributes if attribute.required),
    )
    for shape in SHAPES
}
_SHAPES: Final = {shape.tag.encode(): shape for shape in ELEMENTS.values()}
_MODES: Final = {mode.value: mode for mode in BlobMode}


def read(data: bytes | Frame) -> Element:
    """The message that a frame, or the bytes of one element, say.

    Raises `ProtocolError` for what is not INDI: an element or a child that it does not have, a missing device or
    name, a word for state, rule, permission or BLOB mode that is none, limits or sizes that are no numbers. ``at`` is
    the start of the tag that is wrong, counted as the frame's own ``at`` is.
    """
    frame = data if isinstance(data, Frame) else _only_frame(data)
    if frame.tag in _REQUESTS and (request := _plain_request(frame)) is not None:
        return request
    try:
        return _read(frame.data)
    except ProtocolError as error:
        raise ProtocolError(error.why, frame.at + error.at) from None


def _only_frame(data: bytes) -> Frame:
    framer = Framer()
    frames = framer.feed(data)
    framer.close()
    if framer.error is not None:
        raise framer.error
    if len(frames) != 1:
        at = frames[1].at if frames else len(data)
        raise ProtocolError(f"{len(frames)} elements stand where there should be one", at)
    return frames[0]


def _read(data: bytes) -> Element:
    start = _start_tag(data, 0)
    shape = _SHAPES.get(start[1])
    if shape is None:
        raise ProtocolError(f"INDI has no element <{_text(start[1])}>", 0)
    tag = shape.tag
    fields = _fields(_ATTRIBUTES_OF[tag], tag, start[2], 0)
    if shape.kind is not None:
        fields["kind"] = shape.kind
        fields["members"] = () if start[3] else _members(data, start.end(), MEMBERS[shape.member])
    elif shape.mode:
        fields["mode"] = _mode(b"" if start[3] else data[start.end() : data.rfind(b"<")])
    elif tag == "getProperties":
        fields.setdefault("version", None)  # the record's default is what we send, not what was left out
    return shape.make(**fields)


def _plain_request(frame: Frame) -> NewVector | None:
    """What clients say most, in one go: a request whose members have a name and a text and nothing else. None where
    it is not so plain. Framing has read its names already.
    """
    raw = frame.data
    if b"&" in raw or b"\r" in raw or b"timestamp" in raw or not (frame.device and frame.name):
        return None
    kind, member = _REQUESTS[frame.tag]
    data = raw.decode()
    found = member.findall(data)
    if data.count("<") != 2 * len(found) + 2:  # something else stands in it
        return None
    members = tuple([OneMember(name, text.strip(" \t\n")) for name, text in found])
    return NewVector(kind, frame.device.decode(), frame.name.decode(), None, members)


def _members(data: bytes, at: int, shape: MemberShape) -> tuple[Member, ...]:
    """The children from ``at`` on, up to the end tag."""
    members: list[Member] = []
    expected, attributes = shape.tag.encode(), _ATTRIBUTES_OF[shape.tag]
    at = data.find(b"<", at)
    while at >= 0 and not data.startswith(b"</", at):
        start = _start_tag(data, at)
        if start[1] != expected:
            raise ProtocolError(f"<{_text(start[1])}> stands where only <{shape.tag}> may", at)
        fields = _fields(attributes, shape.tag, start[2], at)
        end = text = start.end()
        if not start[3]:
            end = data.find(b"<", text)
            members.append(_member(shape, fields, data[text:end]))
            end += len(shape.tag) + 3
        else:
            members.append(_member(shape, fields, b""))
        at = data.find(b"<", end)
    return tuple(members)


def _member(shape: MemberShape, fields: dict[str, object], raw: bytes) -> Member:
    if shape.tag == "oneBLOB":
        return shape.make(base64=raw if "enclen" in fields else raw.strip(_BLANKS), **fields)
    value = "" if shape.tag == "defBLOB" else _text(raw).strip(" \t\n")
    if shape.tag == "oneNumber" and len(fields) == 1:
        return OneMember(value=value, **fields)  # type: ignore[arg-type]
    return shape.make(value=value, **fields)


def _fields(attributes: _Attributes, tag: str, raw: bytes, at: int) -> dict[str, object]:
    """The record's fields that a start tag gives."""
    fields: dict[str, object] = {}
    for key, double, single in _ATTRIBUTES.findall(raw):
        attribute = attributes.known.get(key)
        if attribute is None:
            continue
        text = _text(double or single)
        if attribute.read is None:
            fields[attribute.field] = text
            continue
        try:
            fields[attribute.field] = attribute.read(text)
        except ValueError as error:
            raise ProtocolError(f"{attribute.name} of <{tag}> is {text!r}, and should be {error}", at) from None
    if not attributes.required <= fields.keys():
        missing = next(one.name for one in attributes.known.values() if one.required and one.field not in fields)
        raise ProtocolError(f"<{tag}> needs the attribute {missing}", at)
    return fields


def _mode(raw: bytes) -> BlobMode:
    text = _text(raw).strip()
    mode = _MODES.get(text)
    if mode is None:
        raise ProtocolError(f"<enableBLOB> says {text!r}, and should say one of {' '.join(_MODES)}", 0)
    return mode


def _start_tag(data: bytes, at: int) -> re.Match[bytes]:
    start = _START_TAG.match(data, at)
    if start is None:  # a Frame made by hand, not by framing
        raise ProtocolError("no start tag stands here", at)
    return start


def _text(raw: bytes) -> str:
    """What raw bytes say, line ends as XML has them. Framing has seen to it that they are UTF-8."""
    return _decoded(unescape(raw) if b"&" in raw else raw)


def _decoded(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
