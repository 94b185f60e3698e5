"""``ClientLink``: one client's connection. Its bytes become frames for the hub, the hub's frames its bytes."""

from __future__ import annotations

import logging
from collections import deque

import anyio

from indiflask.hub import Hub
from indiflask.links.loop import Loop
from indiflask.links.outbox import PUSH_BYTES, Outbox
from indiflask.links.signals import Bell
from indiflask.links.stream import Stream
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame, Framer
from indiflask.protocol.limits import Limits
from indiflask.protocol.messages import Message
from indiflask.protocol.wirelog import shorten
from indiflask.protocol.writer import write

log = logging.getLogger(__name__)

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
        self._outbox = Outbox(stream)
        self._due = False
        """Whether the hub will have it pushed when it has passed on what it has."""
        self._loop = Loop.current()
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
        outbox = self._outbox
        if outbox.is_closed:
            return
        if self._shows_wire:
            log.debug("%s < %s", self._label, shorten(frame.data))
        if len(frame.data) < PUSH_BYTES:
            outbox.put(frame.data + b"\n")  # a line each, for people who watch
        else:
            outbox.put(frame.data)  # a BLOB is not copied for that
            outbox.put(b"\n")
        if outbox.size - outbox.largest > OUTBOX_BYTES or len(outbox) > OUTBOX_PIECES:
            log.warning("%s is dropped: %d bytes wait for it, and it does not read", self._label, outbox.size)
            outbox.give_up()
            self._scope.cancel()
        elif outbox.size >= PUSH_BYTES:
            outbox.push()
        elif not self._due:
            self._due = True
            self._hub.after(self._push)

    def _push(self) -> None:
        self._due = False
        self._outbox.push()

    # --- in ---

    async def run(self) -> None:
        """Serve the client until it goes, or is made to."""
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._outbox.keep_writing)
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
        if not self._framer.is_open:
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
        self._outbox.put(write(Message(message=f"{why}; this connection is closed")) + b"\n")
        self._outbox.push()
        self._outbox.close()

    async def _linger(self) -> None:
        """It has closed its writing half: what is for it still goes out, as long as it listens. Whether it does is
        found out by empty lines, which are nothing in XML.
        """
        if self._stream.reset:
            return
        with anyio.move_on_after(HALF_CLOSED_SECONDS):
            while not self._outbox.is_closed:
                with anyio.move_on_after(PROBE_SECONDS):
                    await self._outbox.gone.wait()
                if not self._outbox and not self._outbox.is_closed:
                    self._outbox.put(b"\n")
                    self._outbox.push()

    async def _part(self) -> None:
        """It is told why, and then that this is the end; what it goes on sending is read and thrown away, since
        closing on unread bytes would take the reason from it.
        """
        with anyio.move_on_after(PARTING_SECONDS):
            await self._outbox.drain()
            self._stream.end()
            await self._stream.read(_nothing)


def _nothing(_: bytes) -> bool:
    return False
