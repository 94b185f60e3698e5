"""``Stdio``: this process as a driver, on stdin and stdout, of whatever kind they are.

They may be pipes, files, or one socket as both; reading and writing block, in a thread each, so that nothing is set on
descriptors that others share. ``print`` is made harmless: it goes where the log goes.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import anyio

from indiflask.links.attached import inlined
from indiflask.links.loop import Loop
from indiflask.links.stream import MAX_DESCRIPTORS
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame, Framer

log = logging.getLogger(__name__)

READ_BYTES = 64 * 1024


class Stdio:
    """Takes over descriptors 0 and 1. Frames in by ``read``, frames out by ``send``."""

    def __init__(self) -> None:
        self._in, self._out = _take_over(0, os.O_RDONLY), _take_over(1, os.O_WRONLY)
        self._loop = Loop.current()
        self._framer = Framer()
        self._descriptors: deque[int] = deque()
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._written = anyio.Event()
        self._incoming: deque[tuple[bytes, list[int]]] = deque()
        self._came = anyio.Event()
        threading.Thread(target=self._write, name="indiflask stdout", daemon=True).start()

    def send(self, frames: Sequence[Frame]) -> None:
        """Write them, in order. Never blocks."""
        self._outgoing.put(b"".join([frame.data + b"\n" for frame in frames]))

    async def read(self, receive: Callable[[Frame], None]) -> None:
        """Pass on each frame that comes, until EOF. Raises ProtocolError for what is no INDI."""
        threading.Thread(target=self._read, name="indiflask stdin", daemon=True).start()
        while True:
            await self._came.wait()
            self._came = anyio.Event()
            while self._incoming:
                data, descriptors = self._incoming.popleft()
                if not data:
                    self._framer.close()
                self._descriptors += descriptors
                for frame in self._framer.feed(data):
                    self._pass_on(frame, receive)
                if self._framer.error is not None:
                    raise self._framer.error
                if not data:
                    return

    async def drain(self) -> None:
        """Return when all is written, or the other side is gone."""
        self._outgoing.put(None)
        await self._written.wait()

    # --- the threads ---

    def _read(self) -> None:
        is_socket = stat.S_ISSOCK(os.fstat(self._in).st_mode)
        sock = socket.socket(fileno=self._in) if is_socket else None
        descriptors: list[int] = []
        data = b"begin"
        while data:
            try:
                if sock is None:
                    data = os.read(self._in, READ_BYTES)
                else:
                    data, descriptors, _, _ = socket.recv_fds(sock, READ_BYTES, MAX_DESCRIPTORS)
            except BlockingIOError:
                _wait_readable(self._in)  # whoever gave us the descriptor has set it so
            except OSError:
                data = b""
            else:
                self._incoming.append((data, descriptors))
                self._loop.call(self._news)
        self._incoming.append((b"", []))
        self._loop.call(self._news)

    def _write(self) -> None:
        while (data := self._outgoing.get()) is not None:
            try:
                _write_all(self._out, data)
            except OSError:
                break  # nobody reads any more; EOF on stdin ends us
        self._loop.call(self._written.set)

    # --- on the loop ---

    def _news(self) -> None:
        self._came.set()

    def _pass_on(self, frame: Frame, receive: Callable[[Frame], None]) -> None:
        try:
            receive(self._whole(frame))
        except ProtocolError as error:
            log.warning("<%s> is left out: %s", frame.tag.decode(), error.why)

    def _whole(self, frame: Frame) -> Frame:
        if not frame.attached:
            return frame
        count = min(frame.attached, len(self._descriptors))
        return inlined(frame, [self._descriptors.popleft() for _ in range(count)])


def _take_over(descriptor: int, flags: int) -> int:
    """A descriptor of our own for what 0 or 1 is; 1 becomes stderr, 0 becomes empty."""
    own = os.dup(descriptor)
    if flags == os.O_WRONLY:
        sys.stdout.flush()
        os.dup2(2, descriptor)
    else:
        nothing = os.open(os.devnull, flags)
        os.dup2(nothing, descriptor)
        os.close(nothing)
    return own


def _wait_readable(descriptor: int) -> None:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.poll()


def _write_all(descriptor: int, data: bytes) -> None:
    import select

    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
