"""``ClientLink``: one client's connection. Its bytes become frames for the hub, the hub's frames its bytes."""

from __future__ import annotations

import logging
from collections import deque

import anyio

from indiflask.hub import Hub
from indiflask.links.loop import Loop
from indiflask.links.signals import Bell, Latch
from indiflask.links.stream import Stream
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame, Framer
from indiflask.protocol.limits import Limits
from indiflask.protocol.messages import Message
from indiflask.protocol.wirelog import shorten
from indiflask.protocol.writer import write

log = logging.getLogger(__name__)

PUSH_BYTES = 64 * 1024
"""Beyond this the socket is tried at once; less goes out together, once the hub has passed on what it has."""

OUTBOX_BYTES = 64 * 1024 * 1024
"""What may wait for a client that does not read, beside one BLOB. Then it is dropped: memory is everybody's."""

OUTBOX_PIECES = 400_000
"""Frames, and the line ends between them, that may wait. Each takes some 60 bytes beside its own, so that many tiny
ones, such as the answers to a flood of pings, would be several times the memory that their bytes are."""

TURN_FRAMES = 64
"""What one client may say before the others have a turn: an ask is answered by all definitions of an app, and one
read may bring nine thousand asks."""

HALF_CLOSED_SECONDS = 10.0
"""How long a client that has closed its writing half is still told things: long enough for its answers."""

PROBE_SECONDS = 0.25
"""A client that is gone altogether looks like one that has closed its writing half, until it is sent something. A
script that sets a property a hundred times a second would hold a thousand descriptors without that."""

PARTING_SECONDS = 2.0
"""How long a client that broke the rules may take to hear why."""


class ClientLink:
    """One connection, from accepting to closing. The hub sends by ``send``, which never blocks."""

    def __init__(self, hub: Hub, stream: Stream, label: str, limits: Limits) -> None:
        self._hub = hub
        self._stream = stream
        self._label = label
        self._limits = limits
        self._framer = Framer(limits)
        self._shows_wire = log.isEnabledFor(logging.DEBUG)
        self._outbox: deque[bytes | memoryview] = deque()
        self._size = 0
        self._largest = 0
        """Of what has waited since the outbox was empty: one BLOB does not count for the limit."""
        self._due = False
        """Whether the hub will call ``_push`` when it has passed on what it has."""
        self._loop = Loop.current()
        self._is_full = False
        """Whether the socket takes no more: the writing task waits for it then."""
        self._full = Bell(self._loop)
        self._is_deaf = False
        """Whether it takes nothing any more, or has been told the last word."""
        self._deaf = Latch()
        self._scope = anyio.CancelScope()
        self._backlog: deque[Frame] = deque()
        """What it has said and the hub has not been given yet."""
        self._patience = anyio.CancelScope()
        self._opened = Bell(self._loop)
        self._begun = 0.0
        """When the element that is open was, by the loop's clock; 0 where none is."""
        self._peer = hub.join(label, self.send, owner=False)

    # --- out ---

    def send(self, frame: Frame) -> None:
        """Put a frame into the outbox."""
        if self._is_deaf:
            return
        if self._shows_wire:
            log.debug("%s < %s", self._label, shorten(frame.data))
        self._put(frame.data)
        if self._size - self._largest > OUTBOX_BYTES or len(self._outbox) > OUTBOX_PIECES:
            log.warning("%s is dropped: %d bytes wait for it, and it does not read", self._label, self._size)
            self._stop_telling()
            self._scope.cancel()
        elif self._size >= PUSH_BYTES:
            self._push()
        elif not self._due:
            self._due = True
            self._hub.after(self._push)

    def _put(self, data: bytes) -> None:
        size = len(data) + 1  # a line each, for people who watch
        if size < PUSH_BYTES:
            self._outbox.append(data + b"\n")
        else:
            self._outbox += (data, b"\n")  # a BLOB is not copied
        self._size += size
        self._largest = max(self._largest, size)

    def _push(self) -> None:
        """Give the socket what it takes now."""
        self._due = False
        while self._outbox and not self._is_full:
            data = self._outbox.popleft() if len(self._outbox) == 1 else self._next_piece()
            try:
                sent = self._stream.send_now(data)
            except OSError as error:
                log.debug("%s does not listen any more: %s", self._label, error)
                self._stop_telling()  # what it said before it went is still read
                return
            self._size -= sent
            if sent < len(data):
                self._outbox.appendleft(memoryview(data)[sent:])  # a BLOB is not copied for each piece
                self._is_full = True
                self._full.ring()
        if not self._outbox:
            self._largest = 0

    def _next_piece(self) -> bytes | memoryview:
        """Small frames joined, a large one by itself."""
        size, count = 0, 0
        for data in self._outbox:
            if count and size + len(data) > PUSH_BYTES:
                break
            size, count = size + len(data), count + 1
        if count == 1:
            return self._outbox.popleft()
        return b"".join([self._outbox.popleft() for _ in range(count)])

    def _stop_telling(self) -> None:
        self._is_deaf = True
        self._deaf.set()
        self._outbox.clear()
        self._size = 0

    async def _write(self) -> None:
        """Wait for the socket whenever it is full."""
        while True:
            await self._full.wait()
            await self._stream.wait_to_send()
            self._is_full = False
            self._push()

    # --- in ---

    async def run(self) -> None:
        """Serve the client until it goes, or is made to."""
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._write)
                    tasks.start_soon(self._limit_open)
                    in_order = await self._read()
                    if in_order:
                        await self._linger()
                    tasks.cancel_scope.cancel()
                if not in_order:
                    await self._part()  # the writing task has ended: only one may wait for a socket
        finally:
            self._hub.leave(self._peer)
            self._stream.close()

    async def _read(self) -> bool:
        """Until it has closed its writing half (True), or broken the rules or left an element open (False)."""
        try:
            with self._patience:
                await self._stream.read(self._take)
                return True
        except ProtocolError as error:
            self._complain(str(error))
        else:
            self._complain(f"an element of which {self._framer.open_bytes} bytes came is not at its end in time")
        return False

    def _take(self, data: bytes) -> bool:
        """Give the hub what came, a turn's worth at a time; whether there is more."""
        frames = self._framer.feed(data)
        if self._shows_wire:
            for frame in frames:
                log.debug("%s > %s", self._label, shorten(frame.data))
        if not self._framer.open_bytes:
            self._begun = 0.0
        elif frames or not self._begun:
            self._begun = self._loop.time()
            self._opened.ring()
        if self._backlog or len(frames) > TURN_FRAMES:
            self._backlog += frames
            frames = [self._backlog.popleft() for _ in range(min(TURN_FRAMES, len(self._backlog)))]
        self._hub.receive(self._peer, frames)
        if not self._backlog and self._framer.error is not None:
            raise self._framer.error
        return bool(self._backlog)

    async def _limit_open(self) -> None:
        """Lose patience with an element that does not come to its end."""
        while True:
            await self._opened.wait()
            while held := self._framer.open_bytes:
                due = self._begun + self._limits.open_time(held)
                if due <= self._loop.time():
                    self._patience.cancel()
                    return
                await anyio.sleep_until(due)
            self._begun = 0.0

    def _complain(self, why: str) -> None:
        log.warning("%s: %s; it is disconnected", self._label, why)
        self._put(write(Message(message=f"{why}; this connection is closed")))
        self._push()
        self._is_deaf = True  # that was the last word

    async def _linger(self) -> None:
        """It has closed its writing half: what is for it still goes out, as long as it listens. Whether it does is
        found out by empty lines, which are nothing in XML.
        """
        if self._stream.reset:
            return
        with anyio.move_on_after(HALF_CLOSED_SECONDS):
            while not self._is_deaf:
                with anyio.move_on_after(PROBE_SECONDS):
                    await self._deaf.wait()
                if not self._outbox and not self._is_deaf:
                    self._put(b"")
                    self._push()

    async def _part(self) -> None:
        """It is told why, and then that this is the end; what it goes on sending is read and thrown away, since
        closing on unread bytes would take the reason from it.
        """
        with anyio.move_on_after(PARTING_SECONDS):
            while self._outbox:
                await self._stream.wait_to_send()
                self._is_full = False
                self._push()
            self._stream.end()
            await self._stream.read(_nothing)


def _nothing(_: bytes) -> bool:
    return False
