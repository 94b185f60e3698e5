"""Reading a function's signature: which members it means, and how their values become its arguments.

The only place that inspects signatures. Whatever cannot work is refused, with file and line, what was found and what
was expected.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Never, Union, get_args, get_origin

from indiflask.errors import DeclarationError
from indiflask.options import KINDS, Options, Word
from indiflask.protocol.messages import Kind, Rule
from indiflask.shapes import (
    ByName,
    Cell,
    CellType,
    Choice,
    ChoiceSet,
    Nothing,
    Record,
    Several,
    Shape,
    Single,
)
from indiflask.values import Blob, Member, Number, Reply, State, Value

CELL_TYPES: dict[Kind, tuple[CellType, ...]] = {
    Kind.SWITCH: (bool,),
    Kind.NUMBER: (float, int),
    Kind.TEXT: (str,),
    Kind.LIGHT: (State,),
    Kind.BLOB: (Blob,),
}
_EXAMPLES: dict[str, str] = {
    "switch": "def name(on: bool), or one parameter choice: Literal['A', 'B']",
    "button": "def name(), or one parameter choice: Literal['A', 'B']",
    "number": "def name(value: float), or def name() -> float",
    "text": "def name(text: str), or def name() -> str",
    "light": "def name() -> State",
    "blob": "def name(upload: Blob), or def name() -> Blob",
}


def unwrap(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


@dataclass(slots=True)
class Slot:
    """One annotated place of a signature: a parameter, a return type or a record's field."""

    name: str
    type: Any
    member: Member | None = None
    default: Any = inspect.Parameter.empty
    member_name: str = ""

    @property
    def has_default(self) -> bool:
        return self.default is not inspect.Parameter.empty


@dataclass(slots=True)
class Signature:
    """What was read of a function, before the options are laid over it."""

    shape: Shape
    members: list[Member]
    rule: Rule | None = None
    first: dict[str, Value] = dataclasses.field(default_factory=dict)


class Site:
    """Where a decorator stands, for refusals: all say where, what was found and what was expected."""

    def __init__(self, word: Word, function: Callable[..., Any] | None, name: str) -> None:
        self.word = word
        self.function = function
        self.name = name

    @property
    def where(self) -> str:
        code = getattr(inspect.unwrap(self.function), "__code__", None) if self.function else None
        if code:
            return f"{code.co_filename}:{code.co_firstlineno}"
        frame = _caller()
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"

    def refuse(self, what: str, expected: str = "") -> Never:
        found = ""
        if self.function is not None and callable(self.function):
            keyword = "async def" if is_async(self.function) else "def"
            found = f"{keyword} {getattr(self.function, '__name__', '?')}{_signature_text(self.function)}"
        message = f"@app.{self.word}({self.name!r}): {what}"
        raise DeclarationError(self.where, message, found, expected or _EXAMPLES[self.word])

    def check_name(self, name: str, what: str) -> None:
        """Refuse a name that clients could not show or scripts not type."""
        if not name.strip() or name != name.strip() or not name.isprintable():
            self.refuse(f"{what} cannot be called {name!r}: a name has printable characters, and no blanks around it")


class SignatureReader:
    """Reads one function's signature, or the type of what is only published (``of``)."""

    def __init__(self, site: Site, options: Options, of: Any = None) -> None:
        self.site = site
        self.word = site.word
        self.kind = KINDS[site.word]
        self.function = site.function
        self.options = options
        self.of = of
        self.refuse = site.refuse

    # --- the signature ---

    def parameters(self) -> list[Slot]:
        """The parameters that are members. Keyword-only ones with a default are the function's own."""
        slots = []
        for parameter in inspect.signature(self.function or _nothing).parameters.values():
            match parameter.kind:
                case inspect.Parameter.VAR_POSITIONAL | inspect.Parameter.VAR_KEYWORD:
                    self.refuse(f"'*{parameter.name}' cannot be members: each is a parameter of its own")
                case inspect.Parameter.KEYWORD_ONLY:
                    if parameter.default is inspect.Parameter.empty:
                        self.refuse(f"keyword-only parameter {parameter.name!r} is no member and needs a default")
                case _:
                    slots.append(self.parameter(parameter))
        return slots

    def parameter(self, parameter: inspect.Parameter) -> Slot:
        if parameter.annotation is inspect.Parameter.empty:
            self.refuse(f"parameter {parameter.name!r} has no annotation")
        return self.slot(parameter.name, self.evaluate(parameter.annotation), parameter.default)

    def slot(self, name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Slot:
        member: Member | None = None
        if get_origin(annotation) is Annotated:
            annotation, *extras = get_args(annotation)
            member = next((extra for extra in extras if isinstance(extra, Member)), None)
        if isinstance(member, Number) and self.kind is not Kind.NUMBER:
            self.refuse(f"{name!r} is described by Number(...), but this is a {self.word}")
        return Slot(name, annotation, member, default)

    def evaluate(self, annotation: Any) -> Any:
        """The annotation's object, by the names of the function's module and of whoever applies the decorator."""
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        module = getattr(inspect.unwrap(self.function or _nothing), "__globals__", {})
        try:
            hints = typing.get_type_hints(holder, module, dict(_caller().f_locals), include_extras=True)
        except (NameError, TypeError, SyntaxError, AttributeError) as error:
            self.refuse(f"annotation {annotation!r} cannot be resolved: {error}")
        return hints["it"]

    # --- handlers ---

    def read_handler(self, slots: list[Slot]) -> Signature:
        if self.kind is Kind.LIGHT:
            self.refuse("a light is read-only: its function has no parameters and returns a State")
        if not slots:
            return Signature(Nothing(self.scalar_name), [Member(self.scalar_name)], Rule.AT_MOST_ONE)
        if self.kind is Kind.BLOB:
            slots[0].member_name = self.scalar_name
        if len(slots) == 1:
            return self.read_one(slots[0])
        return self.read_several(slots)

    def read_several(self, slots: list[Slot]) -> Signature:
        scalars = CELL_TYPES[self.kind]
        for slot in slots:
            if self.word == "button" or self.kind is Kind.BLOB or slot.type not in scalars:
                self.refuse(f"with several parameters each is one of {_type_names(scalars)}; {slot.name!r} is not")
        cells = tuple(Cell(self.member_name(slot), slot.type) for slot in slots)
        read = Signature(Several(cells, tuple(slot.name for slot in slots)), [self.member(slot) for slot in slots])
        if self.kind is Kind.SWITCH:
            read.rule = Rule.ANY_OF_MANY
        for cell, slot in zip(cells, slots, strict=True):
            if slot.has_default:
                read.first[cell.name] = self.first(slot, cell.write)
        return read

    def first(self, slot: Slot, convert: Callable[[Any], Any]) -> Any:
        try:
            return convert(slot.default)
        except (TypeError, ValueError) as error:
            self.refuse(f"the default of {slot.name!r} does not fit: {error}")

    # --- one parameter, or the return type of a source ---

    def read_source(self) -> Signature:
        if self.function is None:
            annotation = self.of
        else:
            annotation = inspect.signature(self.function).return_annotation
            if annotation is inspect.Signature.empty:
                self.refuse("it has neither parameters nor a return type, so it says nothing of its members")
            if inspect.isgeneratorfunction(self.function) or inspect.isasyncgenfunction(self.function):
                self.refuse("a source returns its value; only a handler may be a generator")
            annotation = self.evaluate(annotation)
        if get_origin(annotation) is Reply:
            annotation = get_args(annotation)[0]
        slot = self.slot("value", annotation)
        slot.member_name = self.scalar_name
        if self.kind is not Kind.SWITCH:
            slot.type = _without_none(slot.type)  # None says "nothing new"
        if slot.type is type(None):
            self.refuse("it has no parameters and returns nothing, so it says nothing of its members")
        return self.read_one(slot)

    def read_one(self, slot: Slot) -> Signature:
        read = self.read_type(slot)
        if self.word == "button":
            if not isinstance(read.shape, Choice) or read.shape.optional:
                self.refuse(f"a button takes nothing or one choice; {slot.name!r} is neither")
            read.rule, read.first = Rule.AT_MOST_ONE, {}
        elif slot.has_default:
            read.first |= self.first(slot, read.shape.values)
        return read

    def read_type(self, slot: Slot) -> Signature:
        if self.options.get("members") is not None:
            return self.read_dict(slot)
        if dataclasses.is_dataclass(slot.type) or hasattr(slot.type, "_fields"):
            return self.read_record(slot)
        if self.kind is Kind.SWITCH and (choice := self.read_choice(slot)):
            return choice
        if slot.type not in CELL_TYPES[self.kind]:
            self.refuse(
                f"{slot.name!r} is {_type_text(slot.type)}, and a {self.word} takes {self.types_taken()}",
                "members=[...] with one dict parameter" if get_origin(slot.type) is dict else "",
            )
        cell = Cell(self.member_name(slot), slot.type)
        rule = Rule.ANY_OF_MANY if self.kind is Kind.SWITCH else None
        return Signature(Single(cell, (slot.name,)), [self.member(slot)], rule)

    def types_taken(self) -> str:
        taken = _type_names(CELL_TYPES[self.kind])
        more = ", a Literal, an Enum, or a set of them" if self.kind is Kind.SWITCH else ", or a record of them"
        return taken + more

    def read_choice(self, slot: Slot) -> Signature | None:
        """A Literal or an Enum, with ``| None``, or a set of them."""
        inner = _without_none(slot.type)
        optional = inner is not slot.type
        many = get_origin(inner) in (set, frozenset)
        choices = self.choices(get_args(inner)[0] if many else inner)
        if choices is None:
            if optional:
                self.refuse(f"{slot.name!r} is {_type_text(slot.type)}; only a Literal or an Enum may be None")
            return None
        members = [Member(name) for name in choices]
        if many:
            return Signature(ChoiceSet(choices, (slot.name,)), members, Rule.ANY_OF_MANY)
        shape = Choice(choices, optional, (slot.name,))
        if optional:
            return Signature(shape, members, Rule.AT_MOST_ONE)
        first = {name: not number for number, name in enumerate(choices)}
        return Signature(shape, members, Rule.ONE_OF_MANY, dict(first))

    def choices(self, annotation: Any) -> dict[str, str | enum.Enum] | None:
        if get_origin(annotation) is Literal:
            words = get_args(annotation)
            if wrong := [word for word in words if not isinstance(word, str)]:
                self.refuse(f"a Literal's choices are the members' names, and so str; {wrong[0]!r} is not")
            return {word: word for word in words}
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum) and annotation is not State:
            return {choice.name: choice for choice in annotation}
        return None

    def read_record(self, slot: Slot) -> Signature:
        record = slot.type
        module = vars(sys.modules.get(record.__module__, types.ModuleType("")))
        try:
            hints = typing.get_type_hints(record, module, dict(_caller().f_locals), include_extras=True)
        except (NameError, TypeError) as error:
            self.refuse(f"an annotation in {record.__name__} cannot be resolved: {error}")
        read = Signature(Record(record, {}, (slot.name,)), [])
        fields: dict[str, Cell] = {}
        for name, default in _fields(record).items():
            field = self.slot(name, hints[name], default)
            if field.type not in CELL_TYPES[self.kind]:
                taken = _type_names(CELL_TYPES[self.kind])
                self.refuse(f"field {name!r} of {record.__name__} is {_type_text(field.type)}, not {taken}")
            fields[name] = cell = Cell(self.member_name(field), field.type)
            read.members.append(self.member(field))
            if field.has_default:
                read.first[cell.name] = self.first(field, cell.write)
        read.shape = Record(record, fields, (slot.name,))
        read.rule = Rule.ANY_OF_MANY if self.kind is Kind.SWITCH else None
        return read

    def read_dict(self, slot: Slot) -> Signature:
        key, value = get_args(slot.type) if get_origin(slot.type) in (dict, Mapping) else (None, None)
        scalars = CELL_TYPES[self.kind]
        if key is not str or value not in scalars:
            self.refuse(f"members=[...] goes with one dict[str, {_type_names(scalars)}]; {slot.name!r} is not")
        blank_member = Number() if self.kind is Kind.NUMBER else Member()
        members = [
            dataclasses.replace(blank_member, name=given) if isinstance(given, str) else given
            for given in self.options.get("members", ())
        ]
        rule = Rule.ANY_OF_MANY if self.kind is Kind.SWITCH else None
        return Signature(ByName(value, (slot.name,)), members, rule)

    # --- members ---

    def member_name(self, slot: Slot) -> str:
        return (slot.member.name if slot.member else "") or slot.member_name or slot.name

    @property
    def scalar_name(self) -> str:
        """The member of a scalar source, light, BLOB or button, where the signature does not name it."""
        return self.options.get("member", "") or self.site.name

    def member(self, slot: Slot) -> Member:
        given = slot.member or (Number() if self.kind is Kind.NUMBER else Member())
        return dataclasses.replace(given, name=self.member_name(slot))


def _nothing() -> None: ...


def is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _signature_text(function: Callable[..., Any]) -> str:
    try:
        return str(inspect.signature(function))
    except (TypeError, ValueError):
        return "(...)"


def _caller() -> types.FrameType:
    """The frame that applied the decorator: the nearest one outside this package."""
    frame = sys._getframe()  # noqa: SLF001 - the only way to the names that a decorator's user sees
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]:
        frame = frame.f_back
    return frame


def _without_none(annotation: Any) -> Any:
    """``X`` for ``X | None``; everything else as it is."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in get_args(annotation) if one is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return annotation


def _fields(record: Any) -> dict[str, Any]:
    """A record's fields with their defaults."""
    empty = inspect.Parameter.empty
    if not dataclasses.is_dataclass(record):
        return {name: record._field_defaults.get(name, empty) for name in record._fields}
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        made = field.default_factory is not dataclasses.MISSING
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        fields[field.name] = empty if default is dataclasses.MISSING and not made else default
    return fields


def _type_text(annotation: Any) -> str:
    return getattr(annotation, "__name__", "") if isinstance(annotation, type) else str(annotation)


def _type_names(kinds: Sequence[CellType]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)
