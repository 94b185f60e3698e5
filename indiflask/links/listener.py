"""Listening for clients on TCP."""

from __future__ import annotations

import errno
import logging
import socket

import anyio
from anyio.abc import TaskStatus

from indiflask.hub import Hub
from indiflask.links.client import ClientLink
from indiflask.links.errors import LinkError
from indiflask.links.stream import Stream
from indiflask.protocol.limits import Limits

log = logging.getLogger(__name__)

BACKLOG = 100
"""Connections that may wait to be accepted: KStars opens one for each BLOB property, all at once."""

ACCEPT_PAUSE = 0.1
"""Seconds before the next try when no descriptor is left for another client."""


async def serve(
    hub: Hub,
    host: str,
    port: int,
    *,
    limits: Limits | None = None,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve clients until cancelled; ``task_status`` tells the address as ``host:port``.

    Port 0 takes a free one. Raises LinkError when the address cannot be had.
    """
    listener = await _listen(host, port)
    limits = limits or Limits()
    try:
        async with anyio.create_task_group() as clients:
            task_status.started(_text(listener.getsockname()))
            while True:
                sock, address = await _accept(listener)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients.start_soon(ClientLink(hub, Stream(sock), _text(address), limits).run)
    finally:
        listener.close()


async def _listen(host: str, port: int) -> socket.socket:
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise LinkError(f"cannot listen on {host}: {error.strerror}; give an address of this machine") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # :: is for all, libindi's tools with their IPv4 too, whatever the system's habit
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise LinkError(_reason(host, port, error)) from None
    return listener


def _reason(host: str, port: int, error: OSError) -> str:
    where = f"port {port} of {host}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is in use, perhaps by another INDI server: end that one, or choose another --port"
        case errno.EACCES:
            return f"{where} is not allowed: ports below 1024 are root's; choose another --port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine: choose another --host"
        case _:
            return f"cannot listen on {where}: {error.strerror}"


async def _accept(listener: socket.socket) -> tuple[socket.socket, tuple[object, ...]]:
    while True:
        try:
            return listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            await anyio.wait_readable(listener)
        except OSError as error:
            log.error("no further client can be accepted: %s", error.strerror)
            await anyio.sleep(ACCEPT_PAUSE)


def _text(address: tuple[object, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
