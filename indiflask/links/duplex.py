"""``Duplex``: frames both ways over a socket of our own, between the hub's process and a child's."""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Iterable

import anyio

from indiflask.links.attached import close_all
from indiflask.links.outbox import Outbox
from indiflask.links.stream import Stream
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame, Framer

log = logging.getLogger(__name__)

OUTBOX_BYTES = 256 * 1024 * 1024
"""What may wait for the other process. It reads whenever its loop turns: one that does not has been hung for long."""

Receive = Callable[[list[Frame]], None]
"""Takes the frames that came together. On the loop."""


class Duplex:
    """One end. Frames in by ``run``, which calls ``receive``; frames out by ``send``, which never blocks.

    With ``attaches`` the other side may hand over file descriptors; looking for them costs each read some time.
    """

    def __init__(self, sock: socket.socket, receive: Receive, *, attaches: bool = False) -> None:
        self._descriptors: deque[int] = deque()
        self._stream = stream = Stream(sock, self._descriptors if attaches else None)
        self._receive = receive
        self._framer = Framer()
        self._outbox = Outbox(stream)
        self._is_due = False
        """Whether something has been put and not been pushed."""

    def send(self, frames: Iterable[Frame]) -> None:
        """Write them, in order, as soon as the socket takes them."""
        for frame in frames:
            self.put(frame)
        self.push()

    def put(self, frame: Frame) -> bool:
        """It is written with the next ``push``. Whether it is the first that waits for that."""
        if self._outbox.is_closed:
            return False
        self._outbox.put(frame.data)
        is_first, self._is_due = not self._is_due, True
        return is_first

    def push(self) -> None:
        """Write what has been put."""
        self._is_due = False
        if self._outbox.size > OUTBOX_BYTES:
            log.error("the other process takes nothing any more: %d bytes wait for it; it is left", self._outbox.size)
            self._outbox.give_up()
            self._stream.abort()  # what it gets would end in the middle: it is parted with
        else:
            self._outbox.push()

    async def run(self) -> None:
        """Until the other side has ended. Raises ProtocolError for what is no INDI."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._outbox.keep_writing)
            error: ProtocolError | None = None
            try:
                await self._stream.read(self._take)
            except ProtocolError as raised:
                error = raised  # raised below, where no group wraps it
            tasks.cancel_scope.cancel()
        if error is not None:
            raise error

    def _take(self, data: bytes) -> bool:
        frames = self._framer.feed(data)
        for frame in frames:
            if frame.attached:
                self._attach(frame)
        self._receive(frames)
        if self._framer.error is not None:
            raise self._framer.error
        return False

    def _attach(self, frame: Frame) -> None:
        """File descriptors come with the frame that announces them, or before. Raises ProtocolError if not."""
        if len(self._descriptors) < frame.attached:
            came = len(self._descriptors)
            raise ProtocolError(f"{frame.attached} BLOBs are said to be attached, and {came} came along", frame.at)
        frame.fds = [self._descriptors.popleft() for _ in range(frame.attached)]

    def close(self) -> None:
        """Close the socket, and what came along and nobody has taken. Nobody may be waiting for it."""
        close_all(self._descriptors)
        self._descriptors.clear()
        self._stream.close()
