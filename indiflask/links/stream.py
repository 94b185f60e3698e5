"""``Stream``: a non-blocking socket on either of anyio's backends.

Ours and not anyio's: that one throws away what was received once a write has failed, and a client that sends one
command and goes would lose it.
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from indiflask.links.linger import linger
from indiflask.links.reading import Take, reading

if TYPE_CHECKING:
    from typing_extensions import Buffer

RECEIVE_BYTES = 16 * 1024
"""At once: more than a message has. Room for much more is memory from the system, each time anew."""

BULK_BYTES = 256 * 1024
"""At once, where more comes than that: so that a BLOB is not a thousand wake-ups."""

MAX_DESCRIPTORS = 64
"""That may come with one read; libindi sends one a BLOB."""


class Stream:
    """Bytes in, bytes out. One task may read while another waits to send."""

    def __init__(self, sock: socket.socket, descriptors: deque[int] | None = None) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._descriptors = descriptors
        """File descriptors that come along are put there; without it they are lost. On unix sockets only."""
        self._room = RECEIVE_BYTES
        self._linger = linger()
        self.reset = False
        """Whether the other side is gone altogether, and has not only ended what it says."""

    async def read(self, take: Take) -> None:
        """Give away what comes, until the end of the stream, which a reset is too. Raises what ``take`` does."""
        await reading(self._socket, self._receive, take).run()

    def _receive(self) -> bytes | None:
        try:
            data = self._socket.recv(self._room) if self._descriptors is None else self._receive_both(self._descriptors)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:  # a reset, a time-out, a network that is gone: all the same here
            self.reset = True
            return b""
        self._room = RECEIVE_BYTES if len(data) < RECEIVE_BYTES else BULK_BYTES
        if self._linger is not None:
            self._linger.heard()
        return data

    def _receive_both(self, descriptors: deque[int]) -> bytes:
        data, came, _, _ = socket.recv_fds(self._socket, self._room, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        descriptors += came
        return data

    def send_now(self, data: Buffer) -> int:
        """How much the socket took without waiting. Raises OSError when the other side is gone."""
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        if self._linger is not None:
            self._linger.said()
        return sent

    async def wait_to_send(self) -> None:
        """Return when the socket takes more."""
        await anyio.wait_writable(self._socket)

    def abort(self) -> None:
        """Nothing more is sent or read: reading ends."""
        with suppress(OSError):  # it may be gone already
            self._socket.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Nothing more will be sent; receiving goes on."""
        with suppress(OSError):  # it may be gone already
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close it. Nobody may be waiting for it."""
        self._socket.close()
