"""How the values that a function sees are made of a property's members, and back.

A shape knows nothing of devices or clients: member values go in, a function's arguments come out
(``arguments``), or what ``Property.value`` gives (``value``); what a function returned, or what was given to
``publish`` and ``request``, goes back to member values (``values``, ``bind``).
"""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, ClassVar

from indiflask.values import Blob, State, Value, Values

TEXT_LENGTH = 1_000_000
"""Characters of a text, of up to four bytes each: INDI's programs hold a message of some megabytes."""

CellType = type[float] | type[int] | type[bool] | type[str] | type[State] | type[Blob]


@dataclass(frozen=True, slots=True)
class Cell:
    """One member as Python sees it: its name and the type of its value."""

    name: str
    type: CellType

    def read(self, value: Value) -> Value:
        """The member's value as its function gets it: a whole number where an ``int`` was asked for."""
        return round(value) if self.type is int and isinstance(value, float) else value

    def write(self, given: object) -> Value:
        """The value that ``given`` stands for. Raises TypeError or ValueError with the member's name."""
        if self.type in (float, int):
            return self._number(given)
        if isinstance(given, str) and self.type is str and len(given) > TEXT_LENGTH:
            raise ValueError(f"{self.name} takes at most {TEXT_LENGTH:,} characters, not {len(given):,}: send a BLOB")
        if isinstance(given, self.type):
            return given
        if self.type is bool and hasattr(given, "__bool__") and given in (0, 1):  # gpiozero's values, numpy's bools
            return bool(given)
        raise TypeError(f"{self.name} takes {_TYPE_WORDS[self.type]}, not {given!r}")

    def _number(self, given: object) -> float:
        # numpy's numbers are welcome; a bool is nearly always a mistake, and a str hides the locale's comma
        if isinstance(given, bool | str) or not hasattr(given, "__float__"):
            raise TypeError(f"{self.name} takes a number, not {given!r}")
        number = float(given)
        if not math.isfinite(number):
            raise ValueError(f"{self.name} takes a finite number, not {number}")
        return number


_TYPE_WORDS: dict[CellType, str] = {
    bool: "True or False",
    str: "a str",
    State: "a State",
    Blob: "a Blob",
}


def _whole(values: dict[str, Value], cells: Iterable[Cell]) -> dict[str, Value]:
    whole = {cell.name: cell.read(values[cell.name]) for cell in cells if cell.type is int}
    return {**values, **whole} if whole else values


class Shape(ABC):
    """What one kind of signature means. ``parameters`` are the names under which values may be given."""

    parameters: tuple[str, ...]
    by_name: ClassVar[bool] = False
    """Whether the members are declared by hand, and so can be defined anew."""

    @abstractmethod
    def value(self, values: Values) -> Any:
        """What ``Property.value`` is."""

    @abstractmethod
    def values(self, given: Any) -> dict[str, Value]:
        """The members that ``given`` names, with their values. Raises TypeError or ValueError."""

    def asked(self, values: dict[str, Value]) -> dict[str, Value]:
        """What is asked for when a client asks for these: whole numbers where the function takes an ``int``."""
        return values

    def arguments(self, values: Values) -> tuple[Any, ...]:
        """What the function is called with."""
        return (self.value(values),)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Value]:
        """The values given in a call of ``publish`` or ``request``."""
        name = self.parameters[0]
        if len(args) == 1 and not kwargs:
            return self.values(args[0])
        if not args and list(kwargs) == [name]:
            return self.values(kwargs[name])
        raise TypeError(f"takes one value, {name}; given were {_call_text(args, kwargs)}")


def _call_text(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    return "(" + ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]) + ")"


@dataclass(frozen=True, slots=True)
class Nothing(Shape):
    """A button without a parameter: its function takes nothing, and its value is whether it is pressed."""

    member: str
    parameters: tuple[str, ...] = ()

    def value(self, values: Values) -> bool:
        return bool(values[self.member])

    def values(self, given: Any) -> dict[str, Value]:
        return {self.member: bool(given)}

    def arguments(self, values: Values) -> tuple[Any, ...]:  # noqa: ARG002 - the base's signature
        return ()

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Value]:
        if args or kwargs:
            raise TypeError(f"takes no value; given were {_call_text(args, kwargs)}")
        return {self.member: True}


@dataclass(frozen=True, slots=True)
class Single(Shape):
    """One scalar."""

    cell: Cell
    parameters: tuple[str, ...]

    def asked(self, values: dict[str, Value]) -> dict[str, Value]:
        return _whole(values, (self.cell,)) if self.cell.type is int else values

    def value(self, values: Values) -> Value:
        return self.cell.read(values[self.cell.name])

    def values(self, given: Any) -> dict[str, Value]:
        return {self.cell.name: self.cell.write(given)}


@dataclass(frozen=True, slots=True)
class Several(Shape):
    """Several scalars, one a parameter: a tuple outside."""

    cells: tuple[Cell, ...]
    parameters: tuple[str, ...]

    def asked(self, values: dict[str, Value]) -> dict[str, Value]:
        return _whole(values, self.cells)

    def value(self, values: Values) -> tuple[Value, ...]:
        return tuple(cell.read(values[cell.name]) for cell in self.cells)

    def arguments(self, values: Values) -> tuple[Any, ...]:
        return self.value(values)

    def values(self, given: Any) -> dict[str, Value]:
        if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != len(self.cells):
            raise TypeError(f"takes a tuple of {len(self.cells)} ({', '.join(self.parameters)}), not {given!r}")
        return {cell.name: cell.write(one) for cell, one in zip(self.cells, given, strict=True)}

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Value]:
        """Some may be left out: those keep their values."""
        given = dict(zip(self.parameters, args, strict=False))
        if len(args) > len(self.cells) or given.keys() & kwargs.keys() or kwargs.keys() - set(self.parameters):
            raise TypeError(f"takes {', '.join(self.parameters)}; given were {_call_text(args, kwargs)}")
        given |= kwargs
        cells = dict(zip(self.parameters, self.cells, strict=True))
        return {cells[name].name: cells[name].write(one) for name, one in given.items()}


@dataclass(frozen=True, slots=True)
class Record(Shape):
    """A dataclass or NamedTuple whose fields are the members."""

    record: type
    fields: Mapping[str, Cell]
    parameters: tuple[str, ...]

    def asked(self, values: dict[str, Value]) -> dict[str, Value]:
        return _whole(values, self.fields.values())

    def value(self, values: Values) -> Any:
        return self.record(**{field: cell.read(values[cell.name]) for field, cell in self.fields.items()})

    def values(self, given: Any) -> dict[str, Value]:
        if not isinstance(given, self.record):
            raise TypeError(f"takes a {self.record.__name__}, not {given!r}")
        return {cell.name: cell.write(getattr(given, field)) for field, cell in self.fields.items()}


@dataclass(frozen=True, slots=True)
class ByName(Shape):
    """Members declared by hand, as a dict of their names. A dict with some of them leaves the others alone."""

    type: CellType
    parameters: tuple[str, ...]
    by_name: ClassVar[bool] = True

    def asked(self, values: dict[str, Value]) -> dict[str, Value]:
        return {name: Cell(name, self.type).read(value) for name, value in values.items()}

    def value(self, values: Values) -> dict[str, Value]:
        return {name: Cell(name, self.type).read(value) for name, value in values.items()}

    def values(self, given: Any) -> dict[str, Value]:
        if not isinstance(given, Mapping):
            raise TypeError(f"takes a dict of member names, not {given!r}")
        return {name: Cell(name, self.type).write(value) for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Choice(Shape):
    """One of several switches: a Literal's words or an Enum's members; None where none need be On."""

    choices: Mapping[str, str | enum.Enum]
    optional: bool
    parameters: tuple[str, ...]

    def value(self, values: Values) -> str | enum.Enum | None:
        return next((choice for name, choice in self.choices.items() if values[name]), None)

    def values(self, given: Any) -> dict[str, Value]:
        if given not in self.choices.values() and not (given is None and self.optional):
            allowed = ", ".join(repr(choice) for choice in self.choices.values())
            raise ValueError(f"takes one of {allowed}, not {given!r}")
        return {name: choice == given for name, choice in self.choices.items()}


@dataclass(frozen=True, slots=True)
class ChoiceSet(Shape):
    """Any of several switches: the set of those that are On."""

    choices: Mapping[str, str | enum.Enum]
    parameters: tuple[str, ...]

    def value(self, values: Values) -> set[str | enum.Enum]:
        return {choice for name, choice in self.choices.items() if values[name]}

    def values(self, given: Any) -> dict[str, Value]:
        if not isinstance(given, AbstractSet) or given - set(self.choices.values()):
            allowed = ", ".join(repr(choice) for choice in self.choices.values())
            raise ValueError(f"takes a set of {allowed}, not {given!r}")
        return {name: choice in given for name, choice in self.choices.items()}
