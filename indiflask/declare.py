"""From a function's signature to a frozen ``Declaration``. The only place that inspects signatures.

Whatever cannot work is refused here, at import, with file and line, what was found and what was expected.
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
from typing import Annotated, Any, Literal, Never, TypedDict, Union, get_args, get_origin

from indiflask.definition import DEFAULT_GROUP, Conduct, Definition, Overlap, When, blank
from indiflask.errors import DeclarationError
from indiflask.protocol.messages import Kind, Permission, Rule
from indiflask.protocol.numbers import NumberError, check_format
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

if typing.TYPE_CHECKING:
    from indiflask.property import Property

Word = Literal["switch", "button", "number", "text", "light", "blob"]
"""The decorators."""

KINDS: dict[str, Kind] = {
    "switch": Kind.SWITCH,
    "button": Kind.SWITCH,
    "number": Kind.NUMBER,
    "text": Kind.TEXT,
    "light": Kind.LIGHT,
    "blob": Kind.BLOB,
}
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


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a decorator stored: the function, what clients see of it, and how it is run.

    ``handles`` tells a handler, which clients may write, from a source, which is only read. ``first`` are the
    values before anybody has set one. ``where`` is ``file:line``.
    """

    word: Word
    function: Callable[..., Any] | None
    definition: Definition
    shape: Shape
    first: Mapping[str, Value]
    conduct: Conduct
    handles: bool
    where: str


def declare(word: Word, function: Callable[..., Any], name: str = "", options: Options | None = None) -> Declaration:
    """The declaration of ``function`` under ``@app.<word>(name, **options)``. Raises DeclarationError."""
    return _Reader(word, function, name, options or {}).declaration()


def declare_published(of: Any, name: str, options: Options | None = None) -> Declaration:
    """The declaration of a read-only property without a function, of a type: ``Blob``, ``float``, a record…"""
    return _Reader(_word_of(of), None, name, options or {}, of).declaration()


def _word_of(of: Any) -> Word:
    """Which decorator a published type would stand under."""
    inner = _unwrap(of)
    if dataclasses.is_dataclass(inner) or hasattr(inner, "_fields"):
        hints = typing.get_type_hints(inner, include_extras=True)
        inner = _unwrap(next(iter(hints.values()), None))
    for word in ("number", "text", "light", "blob"):
        if inner in CELL_TYPES[KINDS[word]]:
            return typing.cast(Word, word)
    return "switch"


def _unwrap(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


@dataclass(slots=True)
class _Slot:
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
class _Read:
    """What was read of a signature, before the options are laid over it."""

    shape: Shape
    members: list[Member]
    rule: Rule | None = None
    first: dict[str, Value] = dataclasses.field(default_factory=dict)


class _Reader:
    """Reads one signature. Every refusal goes through ``refuse``, so that all say where and what."""

    def __init__(
        self, word: Word, function: Callable[..., Any] | None, name: str, options: Options, of: Any = None
    ) -> None:
        self.word = word
        self.kind = KINDS[word]
        self.function = function
        self.options = options
        self.of = of
        self.name = name or getattr(function, "__name__", "")

    # --- where it stands, and refusing ---

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
            keyword = "async def" if _is_async(self.function) else "def"
            found = f"{keyword} {getattr(self.function, '__name__', '?')}{_signature_text(self.function)}"
        message = f"@app.{self.word}({self.name!r}): {what}"
        raise DeclarationError(self.where, message, found, expected or _EXAMPLES[self.word])

    # --- the whole ---

    def declaration(self) -> Declaration:
        if self.function is not None and not callable(self.function):
            self.refuse(f"{self.function!r} is not a function")
        self.check_name(self.name, "a property")
        slots = self.parameters() if self.function else []
        handles = bool(slots) or self.word == "button"
        read = self.read_handler(slots) if handles else self.read_source()
        self.lay_options(read, handles)
        return Declaration(
            word=self.word,
            function=self.function,
            definition=self.definition(read, handles),
            shape=read.shape,
            first=read.first,
            conduct=self.conduct(handles),
            handles=handles,
            where=self.where,
        )

    def check_name(self, name: str, what: str) -> None:
        if not name.strip() or name != name.strip() or not name.isprintable():
            self.refuse(f"{what} cannot be called {name!r}: a name has printable characters, and no blanks around it")

    # --- the signature ---

    def parameters(self) -> list[_Slot]:
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

    def parameter(self, parameter: inspect.Parameter) -> _Slot:
        if parameter.annotation is inspect.Parameter.empty:
            self.refuse(f"parameter {parameter.name!r} has no annotation")
        return self.slot(parameter.name, self.evaluate(parameter.annotation), parameter.default)

    def slot(self, name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> _Slot:
        member: Member | None = None
        if get_origin(annotation) is Annotated:
            annotation, *extras = get_args(annotation)
            member = next((extra for extra in extras if isinstance(extra, Member)), None)
        if isinstance(member, Number) and self.kind is not Kind.NUMBER:
            self.refuse(f"{name!r} is described by Number(...), but this is a {self.word}")
        return _Slot(name, annotation, member, default)

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

    def read_handler(self, slots: list[_Slot]) -> _Read:
        if self.kind is Kind.LIGHT:
            self.refuse("a light is read-only: its function has no parameters and returns a State")
        if not slots:
            return _Read(Nothing(self.scalar_name), [Member(self.scalar_name)], Rule.AT_MOST_ONE)
        if self.kind is Kind.BLOB:
            slots[0].member_name = self.scalar_name
        if len(slots) == 1:
            return self.read_one(slots[0])
        return self.read_several(slots)

    def read_several(self, slots: list[_Slot]) -> _Read:
        scalars = CELL_TYPES[self.kind]
        for slot in slots:
            if self.word == "button" or self.kind is Kind.BLOB or slot.type not in scalars:
                self.refuse(f"with several parameters each is one of {_type_names(scalars)}; {slot.name!r} is not")
        cells = tuple(Cell(self.member_name(slot), slot.type) for slot in slots)
        read = _Read(Several(cells, tuple(slot.name for slot in slots)), [self.member(slot) for slot in slots])
        if self.kind is Kind.SWITCH:
            read.rule = Rule.ANY_OF_MANY
        for cell, slot in zip(cells, slots, strict=True):
            if slot.has_default:
                read.first[cell.name] = self.first(slot, lambda given, cell=cell: cell.write(given))
        return read

    def first(self, slot: _Slot, convert: Callable[[Any], Any]) -> Any:
        try:
            return convert(slot.default)
        except (TypeError, ValueError) as error:
            self.refuse(f"the default of {slot.name!r} does not fit: {error}")

    # --- one parameter, or the return type of a source ---

    def read_source(self) -> _Read:
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

    def read_one(self, slot: _Slot) -> _Read:
        read = self.read_type(slot)
        if self.word == "button":
            if not isinstance(read.shape, Choice) or read.shape.optional:
                self.refuse(f"a button takes nothing or one choice; {slot.name!r} is neither")
            read.rule, read.first = Rule.AT_MOST_ONE, {}
        elif slot.has_default:
            read.first |= self.first(slot, read.shape.values)
        return read

    def read_type(self, slot: _Slot) -> _Read:
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
        return _Read(Single(cell, (slot.name,)), [self.member(slot)], rule)

    def types_taken(self) -> str:
        taken = _type_names(CELL_TYPES[self.kind])
        return taken + (", a Literal, an Enum, or a set of them" if self.kind is Kind.SWITCH else ", or a record of them")

    def read_choice(self, slot: _Slot) -> _Read | None:
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
            return _Read(ChoiceSet(choices, (slot.name,)), members, Rule.ANY_OF_MANY)
        shape = Choice(choices, optional, (slot.name,))
        if optional:
            return _Read(shape, members, Rule.AT_MOST_ONE)
        first = {name: not number for number, name in enumerate(choices)}
        return _Read(shape, members, Rule.ONE_OF_MANY, dict(first))

    def choices(self, annotation: Any) -> dict[str, str | enum.Enum] | None:
        if get_origin(annotation) is Literal:
            words = get_args(annotation)
            if wrong := [word for word in words if not isinstance(word, str)]:
                self.refuse(f"a Literal's choices are the members' names, and so str; {wrong[0]!r} is not")
            return {word: word for word in words}
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum) and annotation is not State:
            return {choice.name: choice for choice in annotation}
        return None

    def read_record(self, slot: _Slot) -> _Read:
        record = slot.type
        module = vars(sys.modules.get(record.__module__, types.ModuleType("")))
        try:
            hints = typing.get_type_hints(record, module, dict(_caller().f_locals), include_extras=True)
        except (NameError, TypeError) as error:
            self.refuse(f"an annotation in {record.__name__} cannot be resolved: {error}")
        read = _Read(Record(record, {}, (slot.name,)), [])
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

    def read_dict(self, slot: _Slot) -> _Read:
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
        return _Read(ByName(value, (slot.name,)), members, rule)

    # --- members ---

    def member_name(self, slot: _Slot) -> str:
        return (slot.member.name if slot.member else "") or slot.member_name or slot.name

    @property
    def scalar_name(self) -> str:
        """The member of a scalar source, light, BLOB or button, where the signature does not name it."""
        return self.options.get("member", "") or self.name

    def member(self, slot: _Slot) -> Member:
        given = slot.member or (Number() if self.kind is Kind.NUMBER else Member())
        return dataclasses.replace(given, name=self.member_name(slot))

    # --- options ---

    def lay_options(self, read: _Read, handles: bool) -> None:
        """The options over what the signature says, and whatever then does not fit together."""
        limits: dict[str, Any] = {
            key: self.options[key]  # type: ignore[literal-required]
            for key in ("format", "min", "max", "step")
            if key in self.options
        }
        if limits and self.kind is not Kind.NUMBER:
            self.refuse(f"{', '.join(limits)} is for numbers only")
        read.members = [dataclasses.replace(self.as_number(member), **limits) for member in read.members]
        self.check_members(read)
        if "rule" in self.options:
            self.lay_rule(read)
        for member in read.members:
            read.first.setdefault(member.name, blank(self.kind, member))
        if unknown := read.first.keys() - {member.name for member in read.members}:
            self.refuse(f"the default names {', '.join(map(repr, unknown))}, which is no member")
        self.check_first(read)

    def as_number(self, member: Member) -> Member:
        if self.kind is Kind.NUMBER and not isinstance(member, Number):
            return Number(member.name, label=member.label, unit=member.unit)
        return member

    def check_members(self, read: _Read) -> None:
        if not read.members:
            self.refuse("it has no members")
        seen: set[str] = set()
        for member in read.members:
            self.check_name(member.name, "a member")
            if member.name in seen:
                self.refuse(f"two members are called {member.name!r}")
            seen.add(member.name)
            if isinstance(member, Number):
                self.check_limits(member)

    def check_limits(self, member: Number) -> None:
        if member.min > member.max:
            self.refuse(f"min of {member.name!r} is {member.min:g}, above its max, {member.max:g}")
        try:
            check_format(member.format)
        except NumberError as error:
            self.refuse(f"format of {member.name!r}: {error}")

    def lay_rule(self, read: _Read) -> None:
        if self.kind is not Kind.SWITCH:
            self.refuse("rule= is for switches only")
        rule = self.enum_option("rule", Rule)
        if isinstance(read.shape, Choice | ChoiceSet | Nothing) and rule is not read.rule:
            self.refuse(f"rule={rule.value} does not go with this signature, which says {read.rule and read.rule.value}")
        read.rule = rule
        if rule is Rule.ONE_OF_MANY and not any(read.first.values()):
            read.first = {member.name: not number for number, member in enumerate(read.members)}

    def check_first(self, read: _Read) -> None:
        on = sum(value is True for value in read.first.values())
        if read.rule in (Rule.ONE_OF_MANY, Rule.AT_MOST_ONE) and on > 1:
            self.refuse(f"{on} switches are On by default, and the rule is {read.rule.value}")
        for member in read.members:
            value = read.first[member.name]
            if isinstance(member, Number) and member.limited and isinstance(value, float | int):
                if not member.min <= value <= member.max:
                    self.refuse(
                        f"the default of {member.name!r} is {value:g}, outside {member.min:g} to {member.max:g}"
                    )

    def enum_option(self, option: Literal["rule", "permission"], kind: type[Any]) -> Any:
        given = self.options[option]
        try:
            return kind(given)
        except ValueError:
            allowed = ", ".join(repr(one.value) for one in kind)
            self.refuse(f"{option}={given!r} is none of {allowed}")

    def definition(self, read: _Read, handles: bool) -> Definition:
        permission = Permission.RW if handles else Permission.RO
        if "permission" in self.options:
            permission = self.enum_option("permission", Permission)
            if handles is (permission is Permission.RO):
                self.refuse("a handler is rw or wo, and what has no parameters is ro")
        return Definition(
            kind=self.kind,
            name=self.name,
            members=tuple(read.members),
            label=self.options.get("label", "") or _first_line(self.function) or self.name,
            group=self.options.get("group", DEFAULT_GROUP),
            permission=permission,
            rule=read.rule,
            timeout=self.options.get("deadline", 0),
        )

    def conduct(self, handles: bool) -> Conduct:
        every, deadline = self.options.get("every", 0), self.options.get("deadline", 0)
        cancels = tuple(self.options.get("cancels", ()))
        overlap = self.options.get("overlap", "replace" if self.function and _is_async(self.function) else "queue")
        when = self.options.get("when", "connected")
        if every < 0 or deadline < 0:
            self.refuse("every= and deadline= are seconds, and not negative")
        if every and (handles or self.function is None):
            self.refuse("every= is for a function without parameters; a handler is read by @name.read(every=...)")
        if cancels and self.word != "button":
            self.refuse("cancels= is for buttons")
        if overlap not in get_args(Overlap):
            self.refuse(f"overlap={overlap!r} is none of {', '.join(map(repr, get_args(Overlap)))}")
        if when not in get_args(When):
            self.refuse(f"when={when!r} is none of {', '.join(map(repr, get_args(When)))}")
        for option in ("overlap", "deadline", "exclusive", "save"):
            if not handles and self.options.get(option):
                self.refuse(f"{option}= is for handlers, and this has no parameters")
        return Conduct(
            when, every, overlap, deadline, self.options.get("exclusive", ""), self.options.get("save", False), cancels
        )


def _nothing() -> None: ...


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _signature_text(function: Callable[..., Any]) -> str:
    try:
        return str(inspect.signature(function))
    except (TypeError, ValueError):
        return "(...)"


def _caller() -> types.FrameType:
    """The frame that applied the decorator: the nearest one outside this package."""
    frame = sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]:
        frame = frame.f_back
    return frame


def _first_line(function: Callable[..., Any] | None) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].strip() if function else ""


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
