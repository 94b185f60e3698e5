"""The protocol as one table: each element, its attributes, what it holds, and who may send it.

The reader, the writer and the documentation's table of elements are all made from `ELEMENTS` and `MEMBERS`, so that
they cannot differ.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, TypeAlias

from indiflask.protocol.escapes import escape
from indiflask.protocol.messages import (
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
from indiflask.protocol.numbers import NumberError, exact_text, parse_number
from indiflask.protocol.timestamps import format_timestamp, parse_timestamp

__all__ = ["ELEMENTS", "MEMBERS", "SHAPES", "Attribute", "ElementShape", "MemberShape", "Sender", "tag_of"]

Member: TypeAlias = DefMember | OneMember | OneBlob


class Sender(enum.Enum):
    """Who may send an element."""

    CLIENT = "client"
    DEVICE = "device"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: its name on the wire, the record's field, and how its text becomes a value and back.

    ``read`` raises ValueError with a text that says what would be right. A missing attribute leaves the field's
    default, unless it is ``required``. ``read`` is None where the text is the value. ``write`` gives what stands
    between the quotes.
    """

    name: str
    field: str
    required: bool
    read: Callable[[str], object] | None
    write: Callable[..., str]


@dataclass(frozen=True, slots=True)
class MemberShape:
    """A child of a vector: its tag, its record, and its attributes."""

    tag: str
    make: Callable[..., Member]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class ElementShape:
    """A top-level element. ``member`` is the tag of its children; ``mode`` says that its text is a BLOB mode."""

    tag: str
    make: Callable[..., Element]
    sender: Sender
    attributes: tuple[Attribute, ...]
    kind: Kind | None = None
    member: str = ""
    mode: bool = False


def _seconds(text: str) -> float | None:
    """A timeout is a hint for user interfaces: one that cannot be read is none."""
    try:
        return parse_number(text)
    except NumberError:
        return None


def _count(text: str) -> int:
    trimmed = text.strip()
    if not (trimmed.isascii() and trimmed.isdigit() and len(trimmed) < 20):
        raise ValueError("a number of bytes")
    return int(trimmed)


def _word_of(words: type[enum.Enum]) -> Callable[[str], enum.Enum]:
    """Reads one of an enum's values."""
    known: dict[str, enum.Enum] = {word.value: word for word in words}
    right = " ".join(known)

    def read(text: str) -> enum.Enum:
        word = known.get(text) or known.get(text.strip())
        if word is None:
            raise ValueError(f"one of {right}")
        return word

    return read


def _attached(text: str) -> bool:
    return text == "true"


def _attached_text(attached: bool) -> str:
    return "true" if attached else ""


def _text(name: str, *, required: bool = False) -> Attribute:
    return Attribute(name, name, required, None, escape)


def _word(name: str, words: type[enum.Enum], *, required: bool = True, to: str = "") -> Attribute:
    return Attribute(name, to or name, required, _word_of(words), attrgetter("_value_"))


def _number(name: str) -> Attribute:
    return Attribute(name, name, False, parse_number, exact_text)


_DEVICE: Final = _text("device", required=True)
_NAME: Final = _text("name", required=True)
_ANY_DEVICE: Final = _text("device")
_ANY_NAME: Final = _text("name")
_MESSAGE: Final = _text("message")
_TIMEOUT: Final = Attribute("timeout", "timeout", False, _seconds, exact_text)
_TIMESTAMP: Final = Attribute("timestamp", "timestamp", False, parse_timestamp, format_timestamp)
_LIMITS: Final = (_number("min"), _number("max"), _number("step"))


def _definition(kind: Kind) -> ElementShape:
    attributes = [_DEVICE, _NAME, _text("label"), _text("group"), _word("state", State)]
    if kind is not Kind.LIGHT:
        attributes.append(_word("perm", Permission, to="permission"))
    if kind is Kind.SWITCH:
        attributes.append(_word("rule", Rule))
    attributes += [_TIMEOUT, _TIMESTAMP, _MESSAGE]
    tag = f"def{kind.value}Vector"
    return ElementShape(tag, DefVector, Sender.DEVICE, tuple(attributes), kind, f"def{kind.value}")


def _setting(kind: Kind) -> ElementShape:
    attributes = (_DEVICE, _NAME, _word("state", State, required=False), _TIMEOUT, _TIMESTAMP, _MESSAGE)
    return ElementShape(f"set{kind.value}Vector", SetVector, Sender.DEVICE, attributes, kind, f"one{kind.value}")


def _request(kind: Kind) -> ElementShape:
    attributes = (_DEVICE, _NAME, _TIMESTAMP)
    return ElementShape(f"new{kind.value}Vector", NewVector, Sender.CLIENT, attributes, kind, f"one{kind.value}")


_ELEMENTS: Final = (
    ElementShape("getProperties", GetProperties, Sender.BOTH, (_text("version"), _ANY_DEVICE, _ANY_NAME)),
    *(_definition(kind) for kind in Kind),
    *(_setting(kind) for kind in Kind),
    *(_request(kind) for kind in Kind if kind is not Kind.LIGHT),  # lights are read-only
    ElementShape("enableBLOB", EnableBlob, Sender.CLIENT, (_DEVICE, _ANY_NAME), mode=True),
    ElementShape("message", Message, Sender.DEVICE, (_ANY_DEVICE, _TIMESTAMP, _MESSAGE)),
    ElementShape("delProperty", DelProperty, Sender.DEVICE, (_DEVICE, _ANY_NAME, _TIMESTAMP, _MESSAGE)),
    ElementShape("pingRequest", PingRequest, Sender.BOTH, (_text("uid"),)),
    ElementShape("pingReply", PingReply, Sender.BOTH, (_text("uid"),)),
)

_ONE_BLOB: Final = (
    _NAME,
    Attribute("size", "size", False, _count, str),
    Attribute("enclen", "enclen", False, _count, str),
    _text("format"),
    Attribute("len", "length", False, _count, str),
    Attribute("attached", "attached", False, _attached, _attached_text),
)

_MEMBERS: Final = (
    *(MemberShape(f"def{kind.value}", DefMember, (_NAME, _text("label"))) for kind in Kind if kind is not Kind.NUMBER),
    MemberShape("defNumber", DefNumber, (_NAME, _text("label"), _text("format"), *_LIMITS)),
    *(MemberShape(f"one{kind.value}", OneMember, (_NAME,)) for kind in (Kind.TEXT, Kind.SWITCH, Kind.LIGHT)),
    MemberShape("oneNumber", OneNumber, (_NAME, *_LIMITS)),
    MemberShape("oneBLOB", OneBlob, _ONE_BLOB),
)

#: Every top-level element, by its tag.
ELEMENTS: Final = {shape.tag: shape for shape in _ELEMENTS}

#: Every child of a vector, by its tag.
MEMBERS: Final = {shape.tag: shape for shape in _MEMBERS}

#: Both.
SHAPES: Final[tuple[ElementShape | MemberShape, ...]] = (*_ELEMENTS, *_MEMBERS)

_word_of_enum: Final = attrgetter("_value_")  # `value` is a property, and this is asked for each message
_VECTOR_TAGS: Final = {
    make: {kind.value: f"{word}{kind.value}Vector" for kind in Kind}
    for make, word in ((DefVector, "def"), (SetVector, "set"), (NewVector, "new"))
}
_PLAIN_TAGS: Final = {shape.make: shape.tag for shape in _ELEMENTS if shape.kind is None}


def tag_of(element: Element) -> str:
    """The tag that an element is written with."""
    if isinstance(element, DefVector | SetVector | NewVector):
        return _VECTOR_TAGS[type(element)][_word_of_enum(element.kind)]
    return _PLAIN_TAGS[type(element)]
