"""``Property``: what a decorated name is. Calling it calls the function; else it is the handle to what clients see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from indiflask.errors import DeclarationError, IndiError
from indiflask.protocol.messages import Kind
from indiflask.values import UNSET, Member, Number, Reply, State, Value, Values

if TYPE_CHECKING:
    from indiflask.declare import Declaration
    from indiflask.definition import Definition

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
G = TypeVar("G", bound=Callable[..., Any])
F = TypeVar("F", bound=Callable[..., Any], covariant=True)
M = TypeVar("M", covariant=True)


class Host(Protocol):
    """What a running app does for a property. Every call may come from any thread and none of them blocks."""

    def publish(self, values: Values, state: State | None, message: str) -> None: ...
    def request(self, values: Values) -> Awaitable[None]: ...
    def cancel(self) -> Awaitable[None]: ...
    def refresh(self) -> None: ...
    def redefine(self, definition: Definition) -> None: ...
    def delete(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Readback:
    """The function under ``@prop.read`` and its periods in seconds; 0 is never."""

    function: Callable[..., Any]
    every: float = 0
    busy: float = 0


class _Nothing:
    """The awaitable of what there is nothing to wait for."""

    def __await__(self) -> Any:
        return iter(())


class _Keep(Protocol):  # not Callable[[G], G]: mypy solves that to Never when G is in the signature too
    def __call__(self, function: G, /) -> G: ...


class _Value:
    """``Property.value``, typed by the function. The longest first: defaults make a callable fit the shorter too."""

    @overload
    def __get__(self, prop: Property[Callable[[A, B, C, D], Any], Any], owner: type) -> tuple[A, B, C, D]: ...
    @overload
    def __get__(self, prop: Property[Callable[[A, B, C], Any], Any], owner: type) -> tuple[A, B, C]: ...
    @overload
    def __get__(self, prop: Property[Callable[[A, B], Any], Any], owner: type) -> tuple[A, B]: ...
    @overload
    def __get__(self, prop: Property[Callable[[A], Any], Any], owner: type) -> A: ...
    @overload
    def __get__(self, prop: Property[Callable[[], Awaitable[Reply[A]]], Any], owner: type) -> A: ...
    @overload
    def __get__(self, prop: Property[Callable[[], Reply[A]], Any], owner: type) -> A: ...
    @overload
    def __get__(self, prop: Property[Callable[[], Awaitable[A]], Any], owner: type) -> A: ...
    @overload
    def __get__(self, prop: Property[Callable[[], A], Any], owner: type) -> A: ...
    @overload
    def __get__(self, prop: Property[Callable[..., Any], Any], owner: type) -> Any: ...
    @overload
    def __get__(self, prop: None, owner: type) -> _Value: ...
    def __get__(self, prop: Any, owner: type) -> Any:
        return self if prop is None else prop.declaration.shape.value(prop.values)


class Property(Generic[F, M]):
    """A property of a device: its function, what clients see of it, and the way to change that.

    ``value`` is one parameter's type, a tuple for two to four, a record where the signature says one.
    ``state`` is its INDI state. Everything that changes what clients see may be called from any thread.
    """

    value = _Value()

    def __init__(self, declaration: Declaration, path: str) -> None:
        self.declaration = declaration
        self.definition: Definition = declaration.definition
        """As clients see it now: ``define`` changes it."""
        self.path = path
        """``Device.PROPERTY``, for messages."""
        self.values: Values = dict(declaration.first)
        """Member names to their true values; replaced as a whole, never changed in place."""
        self.state = State.IDLE
        self.host: Host | None = None
        """The running app, while there is one."""
        self.readback: Readback | None = None
        self.halt: Callable[..., Any] | None = None

    def __call__(self: Property[Callable[P, R], Any], *args: P.args, **kwargs: P.kwargs) -> R:
        if self.declaration.function is None:
            raise TypeError(f"{self.path} is published only: there is no function to call")
        return cast(R, self.declaration.function(*args, **kwargs))

    def __getitem__(self, member: str) -> M:
        """One member's value. Raises KeyError with the names there are."""
        if member not in self.values:
            raise KeyError(f"{self.path} has no member {member!r}; it has: {', '.join(self.values)}")
        return cast(M, self.values[member])

    def __repr__(self) -> str:
        return f"<Property {self.path} {self.state.value} {dict(self.values)!r}>"

    # --- telling clients ---

    @overload
    def publish(self, reply: Reply[Any], /) -> None: ...
    @overload
    def publish(self: Property[Callable[[], Awaitable[A]], Any], value: A, /) -> None: ...
    @overload
    def publish(self: Property[Callable[[], A], Any], value: A, /) -> None: ...
    @overload
    def publish(self: Property[Callable[P, Any], Any], *args: P.args, **kwargs: P.kwargs) -> None: ...
    def publish(self, *args: Any, **kwargs: Any) -> None:
        """Tell clients a value that is true now, with Ok, or with Busy while it is Busy. Never blocks.

        A ``Reply`` gives state and message too. Before the app is started this sets the first value. Raises
        TypeError or ValueError for what is no value of this property.
        """
        values, state, message = self.values_of(args, kwargs)
        if self.host is not None:
            self.host.publish(values, state, message)
        else:
            self.values = {**self.values, **values}
            self.state = state or self.state

    def values_of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Values, State | None, str]:
        """Member values, state and message of what was given to ``publish``."""
        if len(args) == 1 and not kwargs and isinstance(args[0], Reply):
            return self.reply_values(args[0])
        return self._checked(lambda: self.declaration.shape.bind(args, kwargs)), None, ""

    def reply_values(self, reply: Reply[Any]) -> tuple[Values, State | None, str]:
        """Member values, state and message of a ``Reply``, or of a bare value wrapped in one."""
        if reply.value is UNSET:
            return {}, reply.state, reply.message
        return self._checked(lambda: self.declaration.shape.values(reply.value)), reply.state, reply.message

    def _checked(self, convert: Callable[[], dict[str, Value]]) -> Values:
        try:
            values = convert()
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.path}: {error}") from None
        if unknown := values.keys() - self.values.keys():
            raise ValueError(f"{self.path} has no member {unknown.pop()!r}; it has: {', '.join(self.values)}")
        return values

    # --- asking ---

    def request(self: Property[Callable[P, Any], Any], *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]:
        """Ask for a value the way a client does: checked, in order, Busy, seen by all.

        The request is on its way when this returns. Awaiting it waits for its end, and raises ``Reject`` if it
        was refused or failed.
        """
        values = self._checked(lambda: self.declaration.shape.bind(args, kwargs))
        return self._running("request").request(values)

    def cancel(self) -> Awaitable[None]:
        """End what runs, and forget what waits; its ``stop`` function halts the hardware. Idle: nothing happens.

        From any thread, awaited or not; awaiting it waits for the stop.
        """
        return self.host.cancel() if self.host else _Nothing()

    def refresh(self) -> None:
        """Read the hardware again now, by the function under ``@prop.read`` or the source itself. From any thread."""
        if self.host is not None:
            self.host.refresh()

    def _running(self, what: str) -> Host:
        if self.host is None:
            raise IndiError(f"{what} of {self.path}: the app is not running")
        return self.host

    # --- defining ---

    def define(
        self,
        *,
        label: str | None = None,
        members: Sequence[str | Member] | None = None,
        min: float | Sequence[float] | None = None,
        max: float | Sequence[float] | None = None,
        step: float | Sequence[float] | None = None,
        format: str | None = None,
    ) -> None:
        """Give new limits, members or a new label, once the hardware is known. Clients get the new definition.

        ``min``, ``max`` and ``step`` are one number for all members, or one for each. ``members`` works where
        members were declared by hand. Raises ValueError for what does not fit.
        """
        changed = self.definition
        if members is not None:
            changed = replace(changed, members=self._new_members(members))
        limits = {"min": min, "max": max, "step": step, "format": format}
        for field, given in limits.items():
            if given is not None:
                changed = replace(changed, members=self._limited(changed.members, field, given))
        if label is not None:
            changed = replace(changed, label=label)
        if self.host is not None:
            self.host.redefine(changed)
        else:
            self.redefined(changed)

    def redefined(self, definition: Definition) -> None:
        """Take over a definition; values of members that are new start at their first value."""
        from indiflask.definition import blank

        first = self.declaration.first
        self.values = {
            member.name: self.values.get(member.name, first.get(member.name, blank(definition.kind, member)))
            for member in definition.members
        }
        self.definition = definition

    def _new_members(self, members: Sequence[str | Member]) -> tuple[Member, ...]:
        if not self.declaration.shape.by_name:
            raise ValueError(f"{self.path}: its members are in its signature; only members=[...] can be defined anew")
        old = {member.name: member for member in self.definition.members}
        blank_member = Number() if self.definition.kind is Kind.NUMBER else Member()
        return tuple(
            old.get(given, replace(blank_member, name=given)) if isinstance(given, str) else given for given in members
        )

    def _limited(
        self, members: Sequence[Member], field: str, given: float | str | Sequence[float]
    ) -> tuple[Member, ...]:
        if self.definition.kind is not Kind.NUMBER:
            raise ValueError(f"{self.path}: {field}= is for numbers")
        each = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given] * len(members)
        if len(each) != len(members):
            raise ValueError(f"{self.path}: {field}= has {len(each)} numbers for {len(members)} members")
        return tuple(replace(member, **{field: one}) for member, one in zip(members, each, strict=True))  # type: ignore[arg-type]

    def delete(self) -> None:
        """Take the property from clients, until the device connects again or ``define`` brings it back."""
        self._running("delete").delete()

    # --- functions beside the handler ---

    def stop(self, function: G, /) -> G:
        """The function that halts the hardware, however a request ends early: cancelled, replaced, past its
        deadline, by DISCONNECT or at the end of the app. Shielded, at most 5 s.
        """
        if not self.declaration.handles:
            self._refuse("stop", "it has no handler to stop")
        self.halt = function
        return function

    @overload
    def read(self, function: G, /) -> G: ...
    @overload
    def read(self, /, *, every: float = 0, busy: float = 0) -> _Keep: ...
    def read(self, function: Any = None, /, *, every: float = 0, busy: float = 0) -> Any:
        """The function that reads what is true, whoever changed it: at connect, after a request that returned
        nothing, on ``refresh()``, ``every`` so many seconds, and ``busy`` so many seconds while a handler runs.
        """
        if not self.declaration.handles:
            self._refuse("read", "it is a source itself; give it every= instead")
        if every < 0 or busy < 0:
            self._refuse("read", "every= and busy= are seconds, and not negative")

        def keep(read: G) -> G:
            self.readback = Readback(read, every, busy)
            return read

        return keep if function is None else keep(function)

    def _refuse(self, what: str, why: str) -> None:
        raise DeclarationError(self.declaration.where, f"@{self.definition.name}.{what} of {self.path}: {why}")
