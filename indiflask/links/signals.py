"""What tasks wait for, on the loop: cheap where nobody waits, which is most of the time."""

from __future__ import annotations

import anyio

from indiflask.links.loop import Loop, Waiter


class Latch:
    """Set once; awaited by any number. May be made anywhere, and is set and awaited on the loop."""

    __slots__ = ("_event", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._event: anyio.Event | None = None

    def set(self) -> None:
        """Whoever waits goes on, and nobody waits any more."""
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Return once it is set."""
        if not self.is_set:
            if self._event is None:
                self._event = anyio.Event()
            await self._event.wait()


class Bell:
    """Rung any number of times; one waits, and is told once of all that rang since it last was."""

    __slots__ = ("_loop", "_rung", "_waiter")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._rung = False
        self._waiter: Waiter | None = None

    def ring(self) -> None:
        """Whoever waits goes on, or does not wait the next time."""
        self._rung = True
        if self._waiter is not None:
            self._waiter.set()

    async def wait(self) -> None:
        """Return once it has rung."""
        if not self._rung:
            self._waiter = self._loop.waiter()
            try:
                await self._waiter.wait()
            finally:
                self._waiter = None
        self._rung = False
