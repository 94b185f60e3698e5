"""What can be said at a decorator: its word, and the options set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from indiflask.definition import Overlap, When
from indiflask.protocol.messages import Kind, Permission, Rule
from indiflask.values import Member

if TYPE_CHECKING:
    from indiflask.property import Property

Word = Literal["switch", "button", "number", "text", "light", "blob"]
"""The decorators."""

KINDS: dict[Word, Kind] = {
    "switch": Kind.SWITCH,
    "button": Kind.SWITCH,
    "number": Kind.NUMBER,
    "text": Kind.TEXT,
    "light": Kind.LIGHT,
    "blob": Kind.BLOB,
}


class Options(TypedDict, total=False):
    """What can be set by hand at every decorator. ``every`` and ``deadline`` are seconds."""

    label: str
    group: str
    rule: Rule | str
    permission: Permission | str
    members: Sequence[str | Member]
    member: str
    format: str
    min: float
    max: float
    step: float
    when: When
    every: float
    overlap: Overlap
    deadline: float
    exclusive: str
    save: bool
    cancels: Sequence[Property[Any, Any]]
