"""Waiting until a socket has something to read, on either of anyio's backends.

Ours on asyncio, since anyio's wait enrols the socket with the loop and takes it out again each time, which is most of
what a small message costs. Here it stays enrolled as long as somebody waits each time that something comes.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Protocol

import anyio
from anyio.lowlevel import current_token


class Readiness(Protocol):
    """One socket's; one task may wait at a time."""

    async def wait(self) -> None:
        """Return when there is something to read, or the end of the stream."""

    def close(self) -> None:
        """The socket is about to be closed."""


def readiness(sock: socket.socket) -> Readiness:
    """That of a non-blocking socket, on the running backend."""
    native: Any = current_token().native_token
    return _Enrolled(native, sock) if hasattr(native, "add_reader") else _Asked(sock)


class _Asked:
    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    async def wait(self) -> None:
        await anyio.wait_readable(self._socket)

    def close(self) -> None:
        pass


class _Enrolled:
    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        self._loop = loop
        self._socket = sock
        self._enrolled = False
        self._waiter: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        if not self._enrolled:
            self._loop.add_reader(self._socket, self._readable)
            self._enrolled = True
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def close(self) -> None:
        if self._enrolled:
            self._loop.remove_reader(self._socket)
            self._enrolled = False

    def _readable(self) -> None:
        if self._waiter is None:
            self.close()  # nobody reads now, and the loop would tell so again and again
        elif not self._waiter.done():
            self._waiter.set_result(None)
