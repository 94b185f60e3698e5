"""Reading a socket as things come, on either of anyio's backends.

On asyncio what comes is taken in the loop's own callback: waking a task for it would be a good part of what a small
message costs, and so would anyio's wait, which enrols the socket with the loop and takes it out again each time.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    import asyncio

Receive = Callable[[], bytes | None]
"""What has come; None if nothing has, and nothing (``b""``) at the end."""

Take = Callable[[bytes], bool]
"""Takes what has come. True if there is more to do with it: then the others have a turn, and it is called with nothing
until it is done. On the loop, though not in a task of one's own; what it raises ends the reading."""


class Reading(Protocol):
    """From a socket's begin to its end."""

    async def run(self) -> None:
        """Read until the end. Raises what taking did."""


def reading(sock: socket.socket, receive: Receive, take: Take) -> Reading:
    """That of a non-blocking socket, for the running backend."""
    native: Any = anyio.lowlevel.current_token().native_token
    if hasattr(native, "add_reader"):
        return _ByCallback(native, sock, receive, take)
    return _ByTask(sock, receive, take)


class _ByTask:
    def __init__(self, sock: socket.socket, receive: Receive, take: Take) -> None:
        self._socket = sock
        self._receive = receive
        self._take = take

    async def run(self) -> None:
        while True:
            data = self._receive()
            if data is None:
                await anyio.wait_readable(self._socket)
                continue
            if not data:
                return
            while self._take(data):
                data = b""
                await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()


class _ByCallback:
    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, receive: Receive, take: Take) -> None:
        self._loop = loop
        self._socket = sock
        self._receive = receive
        self._take = take
        self._ended: asyncio.Future[None] = loop.create_future()

    async def run(self) -> None:
        self._loop.add_reader(self._socket, self._readable)
        try:
            await self._ended
        finally:
            self._loop.remove_reader(self._socket)

    def _readable(self) -> None:
        try:
            data = self._receive()
            if data is None or self._ended.done():
                return
            if not data:
                self._ended.set_result(None)
            elif self._take(data):
                self._loop.remove_reader(self._socket)
                self._loop.call_soon(self._go_on)
        except Exception as error:
            self._fail(error)

    def _go_on(self) -> None:
        if self._ended.done():
            return
        try:
            if self._take(b""):
                self._loop.call_soon(self._go_on)
            else:
                self._loop.add_reader(self._socket, self._readable)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)
