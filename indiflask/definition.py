"""What a property is to clients, as frozen records: ``Definition``, and ``Conduct`` for how its function is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from indiflask.protocol.messages import Kind, Permission, Rule
from indiflask.values import Blob, Member, State, Value

if TYPE_CHECKING:
    from indiflask.property import Property

When = Literal["connected", "always"]
Overlap = Literal["replace", "queue", "reject"]

DEFAULT_GROUP = "Main Control"
"""The tab that KStars opens first; libindi's MAIN_CONTROL_TAB."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A property as a client sees it, without its values. ``timeout`` is in seconds, 0 where nothing is promised."""

    kind: Kind
    name: str
    members: tuple[Member, ...]
    label: str = ""
    group: str = DEFAULT_GROUP
    permission: Permission = Permission.RW
    rule: Rule | None = None
    timeout: float = 0
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The members' names, in the order that clients index them by."""
    by_name: Mapping[str, Member] = field(init=False, repr=False, compare=False)
    one_choice: bool = field(init=False, repr=False, compare=False)
    """Whether at most one of its switches can be On."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(member.name for member in self.members))
        object.__setattr__(self, "by_name", {member.name: member for member in self.members})
        object.__setattr__(self, "one_choice", self.rule in {Rule.ONE_OF_MANY, Rule.AT_MOST_ONE})

    @property
    def writable(self) -> bool:
        """Whether clients may write it."""
        return self.permission is not Permission.RO


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a property's function is run.

    ``every`` and ``deadline`` are seconds, 0 for never. ``exclusive`` names the place that it shares with other
    properties of its device. ``cancels`` are what a button ends at once.
    """

    when: When = "connected"
    every: float = 0
    overlap: Overlap = "replace"
    deadline: float = 0
    exclusive: str = ""
    save: bool = False
    cancels: tuple[Property[Any, Any], ...] = ()


def blank(kind: Kind, member: Member) -> Value:
    """The first value of a member for which none is given."""
    match kind:
        case Kind.SWITCH:
            return False
        case Kind.TEXT:
            return ""
        case Kind.LIGHT:
            return State.IDLE
        case Kind.BLOB:
            return None
        case Kind.NUMBER:
            return float(getattr(member, "nearest_to_zero", 0))


__all__ = ["DEFAULT_GROUP", "Blob", "Conduct", "Definition", "Overlap", "When", "blank"]
