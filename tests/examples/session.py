"""indipyclient, a client that we did not write, as a script drives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from indipyclient import IPyClient

from tests.examples.driving import PATIENCE, Value, agrees
from tests.peers import HERE


class Session:
    """One connection: what was heard, and waiting for what should be heard."""

    def __init__(self, port: int) -> None:
        self.client = IPyClient(indihost=HERE, indiport=port)
        self.client.set_vector_timeouts(timeout_enable=False)  # it stumbles over its own timer of an upload
        self.client.rxevent = self._heard
        self.texts: list[str] = []
        self.blobs: list[tuple[str, bytes, str]] = []
        self._news = asyncio.Event()

    async def _heard(self, event: object) -> None:
        if message := getattr(event, "message", ""):
            self.texts.append(message)
        if getattr(event, "eventtype", "") == "SetBLOB":
            sizes: Mapping[str, tuple[int, str]] = getattr(event, "sizeformat")  # noqa: B009  - it carries no types
            members: Mapping[str, bytes] = event  # type: ignore[assignment]  # likewise
            self.blobs += [(name, data, sizes[name][1]) for name, data in members.items()]
        self._news.set()

    async def until(self, true: Callable[[], bool], what: Callable[[], str]) -> None:
        """Wait, event by event, for this to come true."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE} s: {what()}; messages: {self.texts}") from None

    async def defined(self, *vectors: str) -> None:
        """Wait until these ``"Device.PROPERTY"`` are there."""
        await self.until(lambda: set(vectors) <= self.vectors, lambda: f"{set(vectors) - self.vectors} be defined")

    async def connect(self, device: str) -> None:
        """CONNECT, and wait until it is connected."""
        await self.defined(f"{device}.CONNECTION")
        await self.send(f"{device}.CONNECTION", {"CONNECT": "On"})
        await self.says({f"{device}.CONNECTION.CONNECT": "On", f"{device}.CONNECTION._STATE": "Ok"})

    async def send(self, vector: str, members: Mapping[str, object]) -> None:
        """Ask for these members; indipyclient adds the others of the vector, as they are."""
        device, name = vector.split(".")
        await self.client.send_newVector(device, name, members=dict(members))

    async def says(self, wanted: Mapping[str, Value]) -> None:
        """Wait until these members and ``_STATE``, by full names, are what the server says."""
        await self.until(lambda: not self._wrong(wanted), lambda: f"{wanted}, but {self._wrong(wanted)}")

    async def blob(self, member: str, number: int) -> None:
        """Wait for as many BLOBs of this member."""
        await self.until(lambda: self._count(member) == number, lambda: f"{number} of {member}")

    def _count(self, member: str) -> int:
        return sum(name == member for name, _, _ in self.blobs)

    @property
    def vectors(self) -> set[str]:
        """All that is defined now."""
        return {
            f"{device}.{name}"
            for device, vectors in self.client.data.items()
            for name, vector in vectors.data.items()
            if vector.enable
        }

    def read(self, name: str) -> str:
        """``"Device.PROPERTY.MEMBER"``; numbers, which may be sexagesimal, in decimal."""
        device, vector_name, member = name.split(".")
        vector = self.client[device][vector_name]
        if member == "_STATE":
            return str(vector.state)
        if vector.vectortype == "NumberVector":
            return repr(vector.getfloatvalue(member))
        return str(vector[member])

    def members(self, vector: str) -> set[str]:
        device, name = vector.split(".")
        return set(self.client[device][name].data)

    def permission(self, vector: str) -> str:
        device, name = vector.split(".")
        return str(self.client[device][name].perm)

    def _wrong(self, wanted: Mapping[str, Value]) -> dict[str, str]:
        return {name: said for name, value in wanted.items() if not agrees(said := self.read(name), value)}


@asynccontextmanager
async def session(port: int) -> AsyncIterator[Session]:
    """Connected for the time of an ``async with``; its own tasks' failures are the test's."""
    opened = Session(port)
    running = asyncio.create_task(opened.client.asyncrun())
    try:
        yield opened
    finally:
        opened.client.shutdown()
        await asyncio.wait_for(running, PATIENCE)
