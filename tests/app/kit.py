"""An app that runs without a network: what clients would say goes in, what they would hear comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio

from indiflask import App, State
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefVector,
    DelProperty,
    Element,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneBlob,
    OneMember,
    SetVector,
)
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack
from indiflask.running.engine import Engine

E = TypeVar("E", bound=Element)
PATIENCE = 5.0


class Wire:
    """What a client hears and says. ``heard`` is all so far."""

    def __init__(self) -> None:
        self.heard: list[Element] = []
        self.engine: Engine
        self._news = anyio.Event()

    def hear(self, frames: Sequence[Frame]) -> None:
        self.heard += [read(frame) for frame in frames]
        self._news.set()
        self._news = anyio.Event()

    def say(self, element: Element) -> None:
        self.engine.receive(pack(element))

    async def until(self, kind: type[E], wanted: Callable[[E], bool] = lambda _: True, *, after: int = 0) -> E:
        """The first element of this kind that is wanted, of all that was heard behind number ``after``."""
        with anyio.fail_after(PATIENCE):
            while True:
                for element in self.heard[after:]:
                    if isinstance(element, kind) and wanted(element):
                        return element
                await self._news.wait()

    async def set(self, name: str, /, *, device: str = "D", kind: Kind | None = None, **members: object) -> SetVector:
        """Ask, and wait for the answer: the first set that is not Busy."""
        after = len(self.heard)
        self.new(name, device=device, kind=kind, **members)
        return await self.answer(name, after)

    def new(self, name: str, /, *, device: str = "D", kind: Kind | None = None, **members: object) -> None:
        """Ask."""
        ones: list[OneMember | OneBlob] = []
        for member, value in members.items():
            ones.append(value if isinstance(value, OneBlob) else OneMember(member, text_of(value)))
        guess = Kind.SWITCH if any(isinstance(value, bool) for value in members.values()) else Kind.NUMBER
        self.say(NewVector(kind or guess, device, name, members=tuple(ones)))

    async def answer(self, name: str, after: int = 0) -> SetVector:
        """The first news of a property that is not Busy."""
        return await self.until(SetVector, lambda it: it.name == name and it.state is not State.BUSY, after=after)

    async def busy(self, name: str, after: int = 0) -> SetVector:
        """The first news of a property that is Busy."""
        return await self.until(SetVector, lambda it: it.name == name and it.state is State.BUSY, after=after)

    async def message(self, after: int = 0) -> str:
        """The first message."""
        return (await self.until(Message, after=after)).message

    async def connect(self, device: str = "D") -> None:
        """CONNECT, and wait for it."""
        answer = await self.set("CONNECTION", device=device, CONNECT=True)
        if answer.state is not State.OK:
            raise AssertionError(answer)

    async def disconnect(self, device: str = "D") -> SetVector:
        """DISCONNECT, and wait for it."""
        return await self.set("CONNECTION", device=device, DISCONNECT=True)

    def sets(self, name: str) -> list[tuple[State | None, dict[str, str]]]:
        """All news of a property: state and values."""
        return [(it.state, values(it)) for it in self.heard if isinstance(it, SetVector) and it.name == name]

    def definitions(self) -> list[str]:
        """The names that were defined, in order."""
        return [it.name for it in self.heard if isinstance(it, DefVector)]

    def deleted(self) -> list[str | None]:
        """The names that were deleted, in order."""
        return [it.name for it in self.heard if isinstance(it, DelProperty)]


def text_of(value: object) -> str:
    """A value as a client writes it."""
    return ("On" if value else "Off") if isinstance(value, bool) else str(value)


def values(vector: SetVector | DefVector) -> dict[str, str]:
    """Member names to texts."""
    return {one.name: getattr(one, "value", "") for one in vector.members}


@asynccontextmanager
async def running(app: App, folder: Path | None = None, *, name: str = "") -> AsyncIterator[Wire]:
    """Run the app as long as the block; what a client hears who asked for everything at the start."""
    wire = Wire()
    wire.engine = Engine(app, wire.hear, state_dir=folder or Path("/nonexistent"), name=name)
    async with anyio.create_task_group() as tasks:
        await tasks.start(wire.engine.run)
        wire.say(GetProperties())
        try:
            yield wire
        finally:
            wire.engine.stop()
