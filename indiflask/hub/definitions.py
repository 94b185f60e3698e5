"""What a definition says, apart from values: for telling whether a peer knows it, and for passing it on as news."""

from __future__ import annotations

import re
from dataclasses import replace

from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import DefMember, DefVector, Kind, OneMember, SetVector, State
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack

_TIMESTAMP = re.compile(rb"""\stimestamp\s*=\s*(?:"[^"]*"|'[^']*')""")


def digest(definition: DefVector) -> int:
    """The same for definitions that differ in values, state, time and message only."""
    members = tuple(replace(member, value="") for member in definition.members)
    return hash(replace(definition, members=members, state=State.IDLE, timestamp=None, message=None))


def without_time(frame: Frame) -> bytes:
    """The frame's bytes but for its timestamp: the same when nothing has changed since."""
    return _TIMESTAMP.sub(b"", frame.data, count=1)


def alarmed(frame: Frame) -> Frame:
    """A definition, in state Alert: nobody is there to answer for it."""
    definition = read(frame)
    return pack(replace(definition, state=State.ALERT)) if isinstance(definition, DefVector) else frame


def alert_of(frame: Frame) -> Frame:
    """The change of a defined property to state Alert, and nothing else."""
    kind = Kind(frame.tag.decode().removeprefix("def").removesuffix("Vector"))
    return pack(SetVector(kind, frame.device.decode(), frame.name.decode(), State.ALERT))


def as_news(definition: DefVector) -> Frame:
    """The ``set`` that says what a definition says of values and state. Of BLOBs a definition has no values."""
    members = () if definition.kind is Kind.BLOB else _ones(definition.members)
    return pack(
        SetVector(
            kind=definition.kind,
            device=definition.device,
            name=definition.name,
            state=definition.state,
            timeout=definition.timeout,
            timestamp=definition.timestamp,
            message=definition.message,
            members=members,
        )
    )


def _ones(members: tuple[DefMember, ...]) -> tuple[OneMember, ...]:
    ones = [OneMember(member.name, member.value) for member in members]
    return tuple(sorted(ones, key=lambda one: one.value == "On"))  # Off before On
