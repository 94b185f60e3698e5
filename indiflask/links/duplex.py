"""``Duplex``: frames both ways over a socket of our own, between the hub's process and a child's."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import anyio

from indiflask.links.stream import Stream
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame, Framer

log = logging.getLogger(__name__)

OUTBOX_BYTES = 256 * 1024 * 1024
"""What may wait for the other process. It reads whenever its loop turns: one that does not has been hung for long."""

Receive = Callable[[list[Frame]], None]
"""Takes the frames that came together. On the loop."""


class Duplex:
    """One end. Frames in by ``run``, which calls ``receive``; frames out by ``send``, which never blocks."""

    def __init__(self, stream: Stream, receive: Receive) -> None:
        self._stream = stream
        self._receive = receive
        self._framer = Framer()
        self._outbox: deque[bytes | memoryview] = deque()
        self._size = 0
        self._full = anyio.Event()
        """Set when the socket takes no more: the writing task waits for it then."""
        self._gone = False

    def send(self, frames: Iterable[Frame]) -> None:
        """Write them, in order, as soon as the socket takes them."""
        if self._gone:
            return
        data = b"".join([frame.data for frame in frames])
        if self._size + len(data) > OUTBOX_BYTES:
            log.error("the other process takes nothing any more: %d bytes wait for it; it is left", self._size)
            self._leave()
            return
        self._outbox.append(data)
        self._size += len(data)
        self._push()

    async def run(self) -> None:
        """Until the other side has ended. Raises ProtocolError for what is no INDI."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write)
            with suppress(ProtocolError):  # raised below, where no group wraps it
                await self._stream.read(self._take)
            tasks.cancel_scope.cancel()
        if self._framer.error is not None:
            raise self._framer.error

    def _take(self, data: bytes) -> bool:
        if frames := self._framer.feed(data):
            self._receive(frames)
        if self._framer.error is not None:
            raise self._framer.error
        return False

    def _push(self) -> None:
        while self._outbox and not self._full.is_set():
            data = self._outbox.popleft()
            try:
                sent = self._stream.send_now(data)
            except OSError:
                self._leave()  # what it said before it went is still read
                return
            self._size -= sent
            if sent < len(data):
                self._outbox.appendleft(memoryview(data)[sent:])
                self._full.set()

    def _leave(self) -> None:
        self._gone = True
        self._outbox.clear()
        self._size = 0

    async def _write(self) -> None:
        while True:
            await self._full.wait()
            await self._stream.wait_to_send()
            self._full = anyio.Event()
            self._push()
