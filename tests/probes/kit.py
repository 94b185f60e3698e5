"""Bare sockets against a real server, and what the system tells of its process."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.peers import HERE, Program

SECONDS = 10.0
"""For any one answer, on a busy machine."""

ASK = b'<getProperties version="1.7"/>'


class Client:
    """A bare socket; ``heard`` is what came and was not yet looked at."""

    def __init__(self, port: int, *, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:  # before connecting, or the window is another
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(SECONDS)
        self.socket.connect((HERE, port))
        self.heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *data: bytes) -> None:
        for piece in data:
            self.socket.sendall(piece)

    def say_if_heard(self, *data: bytes) -> None:
        """The same to a server that may hang up meanwhile."""
        with suppress(ConnectionError):
            self.say(*data)

    def until(self, text: bytes) -> bytes:
        """Take all that came, up to and with this."""
        while text not in self.heard:
            data = self.socket.recv(1 << 20)
            if not data:
                raise AssertionError(f"closed before {text!r} came: {self.heard[-500:]!r}")
            self.heard += data
        end = self.heard.index(text) + len(text)
        taken, self.heard = self.heard[:end], self.heard[end:]
        return taken

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        with suppress(ConnectionError):
            while data := self.socket.recv(1 << 20):
                self.heard += data
        return self.heard

    def barrier(self) -> bytes:
        """What came before the answer to a ping: all that was said so far has been dealt with."""
        self.say(b'<pingRequest uid="barrier"/>')
        return self.until(b'<pingReply uid="barrier"/>')

    def end(self) -> None:
        """Close the writing half."""
        self.socket.shutdown(socket.SHUT_WR)

    def vanish(self) -> None:
        """Go by a reset, as a machine does that loses its power and comes back."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


def new(kind: str, name: str, *, device: str = "D", **members: str) -> bytes:
    """A request as text."""
    ones = "".join(f'<one{kind} name="{member}">{value}</one{kind}>' for member, value in members.items())
    return f'<new{kind}Vector device="{device}" name="{name}">{ones}</new{kind}Vector>'.encode()


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def resident(program: Program) -> int:
    """MB of memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found
    return int(found[1]) // 1024


def descriptors(program: Program) -> int:
    """How many files and sockets it has open."""
    return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))


def busy_seconds(program: Program) -> float:
    """Processor time so far; the kernel counts in hundredths."""
    fields = Path(f"/proc/{program.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
