"""Step 1 of a request's way: it is checked as a whole, before anything reaches the hardware.

What fails raises ``Reject`` with what was wrong and what is allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from indiflask.definition import Definition
from indiflask.errors import ProtocolError, Reject
from indiflask.protocol.blobs import decode_blob
from indiflask.protocol.messages import Kind, NewVector, OneBlob, OneMember, Rule
from indiflask.protocol.numbers import NumberError, parse_number
from indiflask.values import Blob, Member, Number, Value, Values


def check_wire(definition: Definition, current: Values, request: NewVector) -> dict[str, Value]:
    """The values that a client asks for, all members; those that it does not name keep their values."""
    if request.kind is not definition.kind:
        raise Reject(
            f"{definition.name} is a {definition.kind.value} property: new{definition.kind.value}Vector sets it, "
            f"not new{request.kind.value}Vector"
        )
    if not request.members:
        raise Reject(f"the request names no member; {definition.name} has: {', '.join(definition.names)}")
    named: dict[str, Value] = {}
    for one in request.members:
        if one.name not in definition.by_name:
            raise Reject(f"{definition.name} has no member {one.name!r}; {known(one.name, definition.names)}")
        if one.name in named:
            raise Reject(f"{one.name} is named twice")
        named[one.name] = _read(definition.kind, one)
    return check_values(definition, current, named)


def check_values(definition: Definition, current: Values, named: Values) -> dict[str, Value]:
    """The same for values that are Python's already: permission, limits, rule."""
    if not definition.writable:
        raise Reject(f"{definition.name} is read-only")
    if definition.kind is Kind.NUMBER:
        for name, value in named.items():
            _check_limits(definition.by_name[name], value)
    if definition.kind is Kind.SWITCH:
        return _apply_rule(definition, current, named)
    return {**current, **named}


def _read(kind: Kind, one: OneMember | OneBlob) -> Value:
    if isinstance(one, OneBlob):
        return _read_blob(one)
    match kind:
        case Kind.NUMBER:
            return _read_number(one)
        case Kind.SWITCH:
            return _read_switch(one)
        case _:
            return one.value


def _read_number(one: OneMember) -> float:
    try:
        return parse_number(one.value)
    except NumberError as error:
        raise Reject(f"{one.name}: {error}") from None


def _read_switch(one: OneMember) -> bool:
    if one.value not in ("On", "Off"):
        raise Reject(f"{one.name} is On or Off, not {one.value!r}")
    return one.value == "On"


def _read_blob(one: OneBlob) -> Blob:
    try:
        return blob_of(one)
    except ProtocolError as error:
        raise Reject(f"{one.name}: {error.why}") from None


def blob_of(one: OneBlob) -> Blob:
    """What was sent as a BLOB, inflated where it travelled compressed. Raises ProtocolError."""
    return Blob(decode_blob(one), one.format.removesuffix(".z"))


def _check_limits(member: Member, value: Value) -> None:
    if isinstance(member, Number) and isinstance(value, float) and not member.allows(value):
        unit = f" {member.unit}" if member.unit else ""
        raise Reject(f"{member.name} must be between {member.min:.12g} and {member.max:.12g}{unit}, not {value:.12g}")


def _apply_rule(definition: Definition, current: Values, named: Values) -> dict[str, Value]:
    on = [name for name, value in named.items() if value]
    if not definition.one_choice:
        return {**current, **named}
    if len(on) > 1:
        raise Reject(f"only one of {', '.join(definition.names)} can be On, not {' and '.join(on)}")
    if on:
        return {name: name == on[0] for name in definition.names}
    after = {**current, **named}
    if definition.rule is Rule.ONE_OF_MANY and not any(after.values()):
        raise Reject(f"one of {', '.join(definition.names)} must be On")
    return after


def known(wrong: str, names: Sequence[str] | Iterable[str]) -> str:
    """The names there are, the near one first: "did you mean 'LED'?", or "it has: …"."""
    names = list(names)
    near = difflib.get_close_matches(wrong, names, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"it has: {', '.join(names)}" if names else "it has none"
