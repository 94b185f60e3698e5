"""``Outbox``: what waits for a socket to take it."""

from __future__ import annotations

import logging
from collections import deque

from indiflask.links.loop import Loop
from indiflask.links.signals import Bell, Latch
from indiflask.links.stream import Stream

log = logging.getLogger(__name__)

PUSH_BYTES = 64 * 1024
"""Small pieces are joined up to here; a larger one goes by itself and is not copied."""


class Outbox:
    """Bytes in by ``put``; ``push`` gives the socket what it takes. Neither blocks. Whoever puts looks at ``size``."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._pieces: deque[bytes | memoryview] = deque()
        self.size = 0
        """Bytes that wait."""
        self.largest = 0
        """Of the pieces that have waited since it was empty."""
        self._is_full = False
        self._full = Bell(Loop.current())
        self.is_closed = False
        """Whether nothing is taken any more: the other side is gone, or the last word has been said."""
        self.gone = Latch()
        """Set when the other side is gone, or given up. What it said before may still be read."""

    def __len__(self) -> int:
        return len(self._pieces)

    def put(self, data: bytes) -> None:
        """It goes out with the next push."""
        self._pieces.append(data)
        self.size += len(data)
        self.largest = max(self.largest, len(data))

    def push(self) -> None:
        """Give the socket what it takes now."""
        while self._pieces and not self._is_full:
            data = self._pieces.popleft() if len(self._pieces) == 1 else self._next_piece()
            try:
                sent = self._stream.send_now(data)
            except OSError as error:
                log.debug("nobody listens any more: %s", error)
                self.give_up()
                return
            self.size -= sent
            if sent < len(data):
                self._pieces.appendleft(memoryview(data)[sent:])  # a BLOB is not copied for each piece
                self._is_full = True
                self._full.ring()
        if not self._pieces:
            self.largest = 0

    def _next_piece(self) -> bytes | memoryview:
        """Small ones joined, a large one by itself."""
        size, count = 0, 0
        for data in self._pieces:
            if count and size + len(data) > PUSH_BYTES:
                break
            size, count = size + len(data), count + 1
        if count == 1:
            return self._pieces.popleft()
        return b"".join([self._pieces.popleft() for _ in range(count)])

    def close(self) -> None:
        """That was the last word: what waits still goes out."""
        self.is_closed = True

    def give_up(self) -> None:
        """Nothing will go out any more."""
        self.is_closed = True
        self._pieces.clear()
        self.size = 0
        self.gone.set()

    async def keep_writing(self) -> None:
        """Wait for the socket whenever it is full, until cancelled."""
        while True:
            await self._full.wait()
            await self._wait()

    async def drain(self) -> None:
        """Return when all has gone out. Only while nobody keeps writing: one may wait for a socket."""
        while self._pieces:
            await self._wait()

    async def _wait(self) -> None:
        await self._stream.wait_to_send()
        self._is_full = False
        self.push()
