"""``Device``: what is registered on one, by decorators and by the public methods behind them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, Unpack, overload

from indiflask.connection import Connection, ConnectionOptions, Connector
from indiflask.declare import Declaration, declare, declare_published
from indiflask.definition import When
from indiflask.errors import DeclarationError, SetupLocked
from indiflask.interfaces import interface_bits
from indiflask.options import Options, Word
from indiflask.property import M, Property
from indiflask.values import Blob, State

G = TypeVar("G", bound=Callable[..., Any])
T = TypeVar("T")
V = TypeVar("V")

RESERVED = ("CONNECTION", "DRIVER_INFO", "CONFIG_PROCESS")
"""Properties that every device has by itself."""


class PropertyDecorator(Protocol[M]):
    """The decorator that ``device.number(...)`` and the others give."""

    def __call__(self, function: G, /) -> Property[G, M]: ...


@dataclass(frozen=True, slots=True)
class Background:
    """A function that runs beside the handlers: all along, or ``every`` so many seconds."""

    function: Callable[[], Any]
    when: When
    every: float = 0


@dataclass(frozen=True, slots=True)
class Snoop:
    """A function that is told of another device's property.

    ``device`` is a name, a ``Device`` of the same app, or a text property whose (``member``'s) value is the name.
    ``stale`` and ``timeout`` are seconds: until it counts as gone, and until it is asked for again.
    """

    function: Callable[..., Any]
    device: str | Device | Property[Any, str]
    name: str
    member: str
    stale: float
    timeout: float
    when: When


class Messenger(Protocol):
    """What a running app does for a device."""

    def message(self, text: str) -> None: ...


class Device:
    """One INDI device: its properties, its connection, and what runs beside them.

    ``interface`` says what kind of instrument it is ("focuser", "dustcap lightbox"), by which Ekos decides what
    to do with it. ``version`` is shown in DRIVER_INFO.
    """

    def __init__(self, name: str, *, interface: str | Iterable[str] = "", version: str = "1.0") -> None:
        if not name.strip() or name != name.strip() or not name.isprintable():
            raise ValueError(f"a device cannot be called {name!r}: printable characters, and no blanks around them")
        self.name = name
        self.interface = interface_bits(interface)
        self.version = version
        self.properties: dict[str, Property[Any, Any]] = {}
        self.hardware: Connection[Any] = Connection(None, ConnectionOptions(auto=True), name)
        """The connection; without a function it has nothing to open, and is On from the start."""
        self.backgrounds: list[Background] = []
        self.snoops: list[Snoop] = []
        self.locked = False
        """True while the app is served: then nothing can be added."""
        self.messenger: Messenger | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {', '.join(self.properties)}>"

    # --- properties ---

    def add_property(self, word: Word, function: G, name: str = "", **options: Unpack[Options]) -> Property[G, Any]:
        """What the decorators do: ``device.add_property("switch", function, "LED")``.

        Raises DeclarationError for a signature that cannot work, and for a name that is taken.
        """
        return self._register(declare(word, function, name, options))

    def published(self, name: str, of: type[V], **options: Unpack[Options]) -> Property[Callable[[], V], V]:
        """A read-only property without a function, of the given type: ``app.published("CCD1", Blob)``."""
        return self._register(declare_published(of, name, options))

    def _register(self, declaration: Declaration) -> Property[Any, Any]:
        self._setup(f"property {declaration.definition.name}")
        name = declaration.definition.name
        if name in RESERVED:
            raise DeclarationError(declaration.where, f"{name} is there by itself; {_INSTEAD[name]}")
        if name in self.properties:
            there = self.properties[name].declaration.where
            raise DeclarationError(declaration.where, f"{self.name} has a property {name} already, from {there}")
        made: Property[Any, Any] = Property(declaration, f"{self.name}.{name}")
        self.properties[name] = made
        return made

    def _setup(self, what: str) -> None:
        if self.locked:
            raise SetupLocked(
                f"{what} cannot be added to {self.name} while it is served: clients have its definitions already. "
                "Declare everything before the app runs; limits and members can be changed later with .define()"
            )

    @overload
    def switch(self, function: G, /) -> Property[G, bool]: ...
    @overload
    def switch(self, name: str = "", **options: Unpack[Options]) -> PropertyDecorator[bool]: ...
    def switch(self, name: Any = "", **options: Unpack[Options]) -> Any:
        """Switches: a ``bool`` each, or one Literal, Enum, or set of them."""
        return self._decorate("switch", name, options)

    @overload
    def button(self, function: G, /) -> Property[G, bool]: ...
    @overload
    def button(self, name: str = "", **options: Unpack[Options]) -> PropertyDecorator[bool]: ...
    def button(self, name: Any = "", **options: Unpack[Options]) -> Any:
        """A button, or one a choice of a Literal: springs back when its function ends."""
        return self._decorate("button", name, options)

    @overload
    def number(self, function: G, /) -> Property[G, float]: ...
    @overload
    def number(self, name: str = "", **options: Unpack[Options]) -> PropertyDecorator[float]: ...
    def number(self, name: Any = "", **options: Unpack[Options]) -> Any:
        """Numbers: a ``float`` or ``int`` each, or a record of them."""
        return self._decorate("number", name, options)

    @overload
    def text(self, function: G, /) -> Property[G, str]: ...
    @overload
    def text(self, name: str = "", **options: Unpack[Options]) -> PropertyDecorator[str]: ...
    def text(self, name: Any = "", **options: Unpack[Options]) -> Any:
        """Texts: a ``str`` each, or a record of them."""
        return self._decorate("text", name, options)

    @overload
    def light(self, function: G, /) -> Property[G, State]: ...
    @overload
    def light(self, name: str = "", **options: Unpack[Options]) -> PropertyDecorator[State]: ...
    def light(self, name: Any = "", **options: Unpack[Options]) -> Any:
        """Lights: a function that returns a State, or a record of them."""
        return self._decorate("light", name, options)

    @overload
    def blob(self, function: G, /) -> Property[G, Blob]: ...
    @overload
    def blob(self, name: str = "", **options: Unpack[Options]) -> PropertyDecorator[Blob]: ...
    def blob(self, name: Any = "", **options: Unpack[Options]) -> Any:
        """A file: what a client uploads, or what a source returns."""
        return self._decorate("blob", name, options)

    def _decorate(self, word: Word, name: Any, options: Options) -> Any:
        if callable(name):
            return self.add_property(word, name)
        if not isinstance(name, str):
            raise TypeError(f"@{word}(...) takes the property's name, a str, not {name!r}")
        return lambda function: self.add_property(word, function, name, **options)

    # --- connection ---

    @overload
    def connection(self, function: Callable[[], AsyncIterator[T]], /) -> Connection[T]: ...
    @overload
    def connection(self, function: Callable[[], Iterator[T]], /) -> Connection[T]: ...
    @overload
    def connection(
        self, /, *, lost: type[BaseException] | tuple[type[BaseException], ...] = (), auto: bool = False
    ) -> Connector: ...
    def connection(
        self,
        function: Any = None,
        /,
        *,
        lost: type[BaseException] | tuple[type[BaseException], ...] = (),
        auto: bool = False,
    ) -> Any:
        """What CONNECT opens and DISCONNECT closes: a generator that yields the hardware once.

        An exception named by ``lost`` anywhere in the device's functions disconnects it with Alert. ``auto``
        connects at the start, and tries again with back-off.
        """
        options = ConnectionOptions(lost if isinstance(lost, tuple) else (lost,), auto)

        def keep(function: Callable[[], Any]) -> Connection[Any]:
            self._setup("a connection")
            if not (inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)):
                where = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
                raise DeclarationError(
                    where,
                    f"the connection of {self.name} is a generator: it opens, yields the hardware, and closes",
                    f"def {function.__name__}(...) without a yield",
                    f"async def {function.__name__}() -> AsyncIterator[Hardware]: ... yield hardware ...",
                )
            if self.hardware.function is not None:
                raise DeclarationError(self.name, "it has a connection already; a device has one")
            self.hardware = Connection(function, options, self.name)
            return self.hardware

        return keep if function is None else keep(function)

    # --- beside the handlers ---

    @overload
    def task(self, function: G, /) -> G: ...
    @overload
    def task(self, /, *, when: When = "connected") -> Callable[[G], G]: ...
    def task(self, function: Any = None, /, *, when: When = "connected") -> Any:
        """A function that runs all along; started again, with back-off, when it fails."""

        def keep(function: G) -> G:
            self.add_background(Background(function, when))
            return function

        return keep if function is None else keep(function)

    def every(self, seconds: float, *, when: When = "connected") -> Callable[[G], G]:
        """A function that is called every so many seconds."""
        if callable(seconds) or seconds <= 0:
            raise ValueError(f"@app.every(5) takes the seconds between two calls, above 0, not {seconds!r}")

        def keep(function: G) -> G:
            self.add_background(Background(function, when, seconds))
            return function

        return keep

    def add_background(self, background: Background) -> None:
        """What ``task`` and ``every`` do."""
        self._setup("a task")
        self.backgrounds.append(background)

    def snoop(
        self,
        device: str | Device | Property[Any, str],
        name: str,
        *,
        member: str = "",
        stale: float = 0,
        timeout: float = 30,
        when: When = "connected",
    ) -> Callable[[G], G]:
        """Be told of another device's property: now, at each change, and once when it is gone.

        ``device`` may be a text property (ACTIVE_DEVICES) whose value names the device; ``member`` says which of
        its members. Nothing for ``stale`` seconds counts as gone; after ``timeout`` seconds it is asked for again.
        """

        def keep(function: G) -> G:
            self.add_snoop(Snoop(function, device, name, member, stale, timeout, when))
            return function

        return keep

    def add_snoop(self, snoop: Snoop) -> None:
        """What ``snoop`` does."""
        self._setup("a snoop")
        self.snoops.append(snoop)

    def message(self, text: str) -> None:
        """Tell clients something in words. From any thread; nobody hears it while the app is not running."""
        if self.messenger is not None:
            self.messenger.message(text)


_INSTEAD: dict[str, str] = {
    "CONNECTION": "write a generator under @app.connection(...)",
    "DRIVER_INFO": "give App(..., interface=, version=)",
    "CONFIG_PROCESS": "give the properties save=True",
}

__all__ = ["RESERVED", "Background", "Device", "PropertyDecorator", "Snoop"]
