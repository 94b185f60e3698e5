"""From a function to a frozen ``Declaration``: what its signature says, with the options laid over it.

Whatever does not fit together is refused here, at import.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from indiflask.definition import DEFAULT_GROUP, Conduct, Definition, Overlap, When, blank
from indiflask.options import KINDS, Options, Word
from indiflask.protocol.messages import Kind, Permission, Rule
from indiflask.protocol.numbers import NumberError, check_format
from indiflask.shapes import Choice, ChoiceSet, Nothing, Shape
from indiflask.signature import CELL_TYPES, Signature, SignatureReader, Site, is_async, unwrap
from indiflask.values import Member, Number, Value


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
    return _Declarer(word, function, name, options or {}).declaration()


def declare_published(of: Any, name: str, options: Options | None = None) -> Declaration:
    """The declaration of a read-only property without a function, of a type: ``Blob``, ``float``, a record…"""
    return _Declarer(_word_of(of), None, name, options or {}, of).declaration()


def _word_of(of: Any) -> Word:
    """Which decorator a published type would stand under."""
    inner = unwrap(of)
    if dataclasses.is_dataclass(inner) or hasattr(inner, "_fields"):
        hints = typing.get_type_hints(inner, include_extras=True)
        inner = unwrap(next(iter(hints.values()), None))
    for word in ("number", "text", "light", "blob"):
        if inner in CELL_TYPES[KINDS[word]]:
            return word
    return "switch"


class _Declarer:
    """Lays the options of one decorator over what the signature says."""

    def __init__(
        self, word: Word, function: Callable[..., Any] | None, name: str, options: Options, of: Any = None
    ) -> None:
        self.word = word
        self.kind = KINDS[word]
        self.function = function
        self.options = options
        self.site = Site(word, function, name or getattr(function, "__name__", ""))
        self.reader = SignatureReader(self.site, options, of)
        self.refuse = self.site.refuse

    def declaration(self) -> Declaration:
        if self.function is not None and not callable(self.function):
            self.refuse(f"{self.function!r} is not a function")
        self.site.check_name(self.site.name, "a property")
        self.check_options()
        slots = self.reader.parameters() if self.function else []
        handles = bool(slots) or self.word == "button"
        read = self.reader.read_handler(slots) if handles else self.reader.read_source()
        self.lay_options(read)
        return Declaration(
            word=self.word,
            function=self.function,
            definition=self.definition(read, handles),
            shape=read.shape,
            first=read.first,
            conduct=self.conduct(handles),
            handles=handles,
            where=self.site.where,
        )

    def check_options(self) -> None:
        """A misspelled deadline is none: said at import, and not found out by a motor."""
        for name in self.options:
            if name not in Options.__annotations__:
                near = difflib.get_close_matches(name, Options.__annotations__, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(Options.__annotations__)}"
                self.refuse(
                    f"no option is called {name!r}; {hint}",
                    f"@app.{self.word}(..., {near[0] if near else 'deadline'}=...)",
                )

    def lay_options(self, read: Signature) -> None:
        """The options over what the signature says, and whatever then does not fit together."""
        limits: dict[str, Any] = {
            key: self.options[key] for key in ("format", "min", "max", "step") if key in self.options
        }
        if limits and self.kind is not Kind.NUMBER:
            self.refuse(f"{', '.join(limits)} is for numbers only")
        read.members = [dataclasses.replace(self.as_number(member), **limits) for member in read.members]
        self.check_members(read)
        if "rule" in self.options:
            self.lay_rule(read)
        if unknown := read.first.keys() - {member.name for member in read.members}:
            self.refuse(f"the default names {', '.join(map(repr, unknown))}, which is no member")
        read.first = {one.name: read.first.get(one.name, blank(self.kind, one)) for one in read.members}
        self.check_first(read)

    def as_number(self, member: Member) -> Member:
        if self.kind is Kind.NUMBER and not isinstance(member, Number):
            return Number(member.name, label=member.label, unit=member.unit)
        return member

    def check_members(self, read: Signature) -> None:
        if not read.members:
            self.refuse("it has no members")
        seen: set[str] = set()
        for member in read.members:
            self.site.check_name(member.name, "a member")
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

    def lay_rule(self, read: Signature) -> None:
        if self.kind is not Kind.SWITCH:
            self.refuse("rule= is for switches only")
        rule = self.enum_option("rule", Rule)
        if isinstance(read.shape, Choice | ChoiceSet | Nothing) and rule is not read.rule:
            said = read.rule.value if read.rule else "none"
            self.refuse(f"rule={rule.value} does not go with this signature, which says {said}")
        read.rule = rule
        if rule is Rule.ONE_OF_MANY and not any(read.first.values()):
            read.first = {member.name: not number for number, member in enumerate(read.members)}

    def check_first(self, read: Signature) -> None:
        on = sum(value is True for value in read.first.values())
        if read.rule in (Rule.ONE_OF_MANY, Rule.AT_MOST_ONE) and on > 1:
            self.refuse(f"{on} switches are On by default, and the rule is {read.rule.value}")
        for member in read.members:
            value = read.first[member.name]
            if isinstance(member, Number) and isinstance(value, float) and not member.allows(value):
                self.refuse(f"the default of {member.name!r} is {value:g}, outside {member.min:g} to {member.max:g}")

    def enum_option(self, option: Literal["rule", "permission"], kind: type[Any]) -> Any:
        given = self.options[option]
        try:
            return kind(given)
        except ValueError:
            allowed = ", ".join(repr(one.value) for one in kind)
            self.refuse(f"{option}={given!r} is none of {allowed}")

    def definition(self, read: Signature, handles: bool) -> Definition:
        permission = Permission.RW if handles else Permission.RO
        if "permission" in self.options:
            permission = self.enum_option("permission", Permission)
            if handles is (permission is Permission.RO):
                self.refuse("a handler is rw or wo, and what has no parameters is ro")
        return Definition(
            kind=self.kind,
            name=self.site.name,
            members=tuple(read.members),
            label=self.options.get("label", "") or _first_line(self.function) or self.site.name,
            group=self.options.get("group", DEFAULT_GROUP),
            permission=permission,
            rule=read.rule,
            timeout=self.options.get("deadline", 0),
        )

    def conduct(self, handles: bool) -> Conduct:
        self.check_times(handles)
        self.check_roles(handles)
        by_itself: Overlap = "replace" if self.function and is_async(self.function) else "queue"
        return Conduct(
            when=self.one_of("when", get_args(When), "connected"),
            every=self.options.get("every", 0),
            overlap=self.one_of("overlap", get_args(Overlap), by_itself),
            deadline=self.options.get("deadline", 0),
            exclusive=self.options.get("exclusive", ""),
            save=self.options.get("save", False),
            cancels=tuple(self.options.get("cancels", ())),
        )

    def check_times(self, handles: bool) -> None:
        every, deadline = self.options.get("every", 0), self.options.get("deadline", 0)
        if every < 0 or deadline < 0:
            self.refuse("every= and deadline= are seconds, and not negative")
        if every and (handles or self.function is None):
            self.refuse("every= is for a function without parameters; a handler is read by @name.read(every=...)")

    def check_roles(self, handles: bool) -> None:
        """Options that are for some kinds of property only."""
        if self.options.get("cancels") and self.word != "button":
            self.refuse("cancels= is for buttons")
        given = [option for option in ("overlap", "deadline", "exclusive", "save") if self.options.get(option)]
        if given and not handles:
            self.refuse(f"{given[0]}= is for handlers, and this has no parameters")
        if "save" in given and (self.word == "button" or self.kind is Kind.BLOB):
            self.refuse("save= is for switches, numbers and texts that hold a value")

    def one_of(self, option: Literal["when", "overlap"], allowed: tuple[Any, ...], by_itself: Any) -> Any:
        given = self.options.get(option, by_itself)
        if given not in allowed:
            self.refuse(f"{option}={given!r} is none of {', '.join(map(repr, allowed))}")
        return given


def _first_line(function: Callable[..., Any] | None) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].strip() if function else ""
