"""INDI's messages as records: what each element of the protocol says, and nothing of how it is written.

They are frozen, compare by value and print well. An optional attribute that is absent is None, so that nothing
is lost between bytes and record. Values of members are the text as it was sent, trimmed: what they mean needs the
definition, which a single message does not have.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

__all__ = [
    "BlobMode",
    "DefMember",
    "DefNumber",
    "DefVector",
    "DelProperty",
    "Element",
    "EnableBlob",
    "GetProperties",
    "Kind",
    "Message",
    "NewVector",
    "OneBlob",
    "OneMember",
    "OneNumber",
    "Permission",
    "PingReply",
    "PingRequest",
    "Rule",
    "SetVector",
    "State",
]


class Kind(enum.Enum):
    """What a property's members hold; the value is the word in ``def<Kind>Vector``."""

    TEXT = "Text"
    NUMBER = "Number"
    SWITCH = "Switch"
    LIGHT = "Light"
    BLOB = "BLOB"


class State(enum.Enum):
    """How a property is doing; also the value of a light."""

    IDLE = "Idle"
    OK = "Ok"
    BUSY = "Busy"
    ALERT = "Alert"


class Rule(enum.Enum):
    """How many of a switch property's members may be On."""

    ONE_OF_MANY = "OneOfMany"
    AT_MOST_ONE = "AtMostOne"
    ANY_OF_MANY = "AnyOfMany"


class Permission(enum.Enum):
    """What clients may do with a property: read, write, or both."""

    RO = "ro"
    WO = "wo"
    RW = "rw"


class BlobMode(enum.Enum):
    """Whether a connection gets BLOBs: none (the default), along with all else, or nothing else."""

    NEVER = "Never"
    ALSO = "Also"
    ONLY = "Only"


@dataclass(frozen=True, slots=True)
class GetProperties:
    """Asks for definitions: of all, of a device, or of one property; from a driver, to snoop."""

    device: str | None = None
    name: str | None = None
    version: str | None = "1.7"


@dataclass(frozen=True, slots=True)
class DefMember:
    """A member as it is defined. ``value`` is empty for a BLOB; without a ``label`` the name is shown."""

    name: str
    label: str | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class DefNumber(DefMember):
    """A number as it is defined. ``min == max`` means no limits, ``step`` 0 any step."""

    format: str = "%g"
    min: float = 0.0
    max: float = 0.0
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class OneMember:
    """A member's new value, in a set or a new vector."""

    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class OneNumber(OneMember):
    """A number whose limits change with its value, as libindi's drivers send it (IUUpdateMinMax).

    At least one of the limits is given: without any, a number is a plain `OneMember`.
    """

    min: float | None = None
    max: float | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True)
class OneBlob:
    """A BLOB's new value.

    ``size`` counts the bytes of data, before base64 (and before compression where ``format`` ends in ``.z``).
    ``attached`` BLOBs have no base64: a file descriptor comes with the frame. ``enclen`` is libindi's length of the
    base64 without its newlines; where it is given, ``base64`` is byte for byte what came between the tags, since
    libindi reads the two together; else it is trimmed. ``length`` is the attribute ``len`` of attached BLOBs.
    """

    name: str
    size: int | None = None
    format: str = ""
    base64: bytes = b""
    attached: bool = False
    length: int | None = None
    enclen: int | None = None


@dataclass(frozen=True, slots=True)
class DefVector:
    """A property's definition. ``permission`` is None for lights, ``rule`` for all but switches."""

    kind: Kind
    device: str
    name: str
    label: str | None = None
    group: str | None = None
    state: State = State.IDLE
    permission: Permission | None = None
    rule: Rule | None = None
    timeout: float | None = None
    timestamp: datetime | None = None
    message: str | None = None
    members: tuple[DefMember, ...] = ()


@dataclass(frozen=True, slots=True)
class SetVector:
    """A property's news: state, some or all values. With no members it is a change of state or a message."""

    kind: Kind
    device: str
    name: str
    state: State | None = None
    timeout: float | None = None
    timestamp: datetime | None = None
    message: str | None = None
    members: tuple[OneMember | OneBlob, ...] = ()


@dataclass(frozen=True, slots=True)
class NewVector:
    """A client's request for new values; it may name only some of the members."""

    kind: Kind
    device: str
    name: str
    timestamp: datetime | None = None
    members: tuple[OneMember | OneBlob, ...] = ()


@dataclass(frozen=True, slots=True)
class EnableBlob:
    """Sets this connection's BLOB mode, for a device or for one of its properties."""

    device: str
    name: str | None = None
    mode: BlobMode = BlobMode.NEVER


@dataclass(frozen=True, slots=True)
class Message:
    """A text for people, from a device or, without one, from the system."""

    message: str = ""
    device: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class DelProperty:
    """A property, or without a name a whole device, is gone."""

    device: str
    name: str | None = None
    timestamp: datetime | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class PingRequest:
    """Asks for a `PingReply` with the same uid once everything before it has been delivered."""

    uid: str = ""


@dataclass(frozen=True, slots=True)
class PingReply:
    """The answer to a `PingRequest`."""

    uid: str = ""


Element: TypeAlias = (
    GetProperties | DefVector | SetVector | NewVector | EnableBlob | Message | DelProperty | PingRequest | PingReply
)
