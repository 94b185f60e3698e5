"""A client that cannot be in the way: a blocking socket, and patterns searched in the bytes as they come."""

from __future__ import annotations

import re
import socket
import time
from types import TracebackType
from typing import Self

from tests.peers import HERE

RUN_SECONDS = 120.0
"""After which a run ends, finished or not."""
CHUNK = 1 << 18
DEFINED = re.compile(rb"<def(Switch|Text|Number|Light|BLOB)Vector.*?</def\1Vector>", re.DOTALL)


class Late(Exception):
    """What was waited for did not come until the run's end, or the server closed."""


class Client:
    """One connection for one run."""

    def __init__(self, port: int, seconds: float = RUN_SECONDS) -> None:
        self._deadline = time.monotonic() + seconds
        self._socket = socket.create_connection((HERE, port), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def ask(self) -> None:
        """Send getProperties, for all devices."""
        self.send(b'<getProperties version="1.7"/>\n')

    def receive(self) -> bytes:
        """What has come, at least one byte. Raises `Late`."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Late
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(CHUNK)
        except TimeoutError as error:
            raise Late from error
        if not data:
            raise Late
        return data

    def wait_for(self, pattern: re.Pattern[bytes]) -> None:
        """Return once the pattern has come; what follows it is kept for the next wait. Raises `Late`."""
        while (found := pattern.search(self._rest)) is None:
            self._rest += self.receive()
        self._rest = self._rest[found.end() :]


def first_definition(port: int) -> bool:
    """Whether a new client gets a definition: from then on the server is up, with its driver."""
    try:
        with Client(port) as client:
            client.ask()
            client.wait_for(DEFINED)
    except Late:
        return False
    return True
