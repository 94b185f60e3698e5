"""``Child``: an app in a process of its own, which can be loaded anew while clients stay connected."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream, Process

from indiflask.hub import Hub
from indiflask.links.duplex import Duplex
from indiflask.links.supervised import CANNOT_START, Patience, Supervised
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefMember,
    DefVector,
    Element,
    GetProperties,
    Message,
    OneBlob,
    OneMember,
    PingRequest,
    SetVector,
    State,
)
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack

HELD_FRAMES = 1000
"""Requests that may wait for a child while it is being loaded anew ..."""

HELD_BYTES = 64 * 1024 * 1024
"""... and how much that may be, beyond which only one upload waits."""

SETTLED = b"indiflask-settled"
"""The ping behind which a child has said all that it has."""

LAST_WORDS = "indiflask-last-words"
"""In place of a device, in the message of one of our children that says why it ends."""

IMPORTS = "indiflask-imports"
"""Likewise, in the message that names the files of other targets that a child has imported."""

FOR_US = (LAST_WORDS.encode(), IMPORTS.encode())

MESSAGE_LENGTH = 10_000
"""Characters of such a message: an exception's text may be anything, and a start tag may not."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a child is started: the command for its end of the socket and the devices to connect first."""

    name: str
    line: Callable[[int, Sequence[str]], list[str]]
    waits_for_change: bool = False
    """Whether a child that cannot start is waited for to be mended, since its files are watched."""
    env: dict[str, str] | None = None


class Child(Supervised):
    """Its devices stay while there is no process: in state Alert after a crash, as they are while it is loaded anew."""

    def __init__(self, hub: Hub, command: Command, patience: Patience) -> None:
        self._command = command
        self._may_be_mended = command.waits_for_change
        self._held: list[Frame] = []
        self._connected: dict[str, None] = {}
        """Devices that were connected when last heard of, in the order of their connecting."""
        self._loading = False
        """It is being loaded anew: one process has ended and the next has not begun."""
        self.imports: frozenset[Path] = frozenset()
        """Files of other targets that it has imported."""
        self._settling = False
        """The answer to our ping is among the frames that have just come."""
        super().__init__(hub, command.name, patience)

    def reload(self) -> None:
        """End the process, and start another with what its files are now."""
        self._again.set()

    # --- from one process to the next ---

    def _ending(self) -> None:
        self._loading = True
        self._hub.suspend(self._peer, "", alert=False)

    def _ended(self, why: str) -> None:
        self._loading = False
        self._held.clear()
        if not self._defined.is_set() and not self._last_words:
            self._connected.clear()  # it may be their connecting that ends it: it comes up without them
        self._hub.suspend(self._peer, f"{self.name} is not running: {why}", alert=True)

    def _is_hopeless(self, code: int) -> bool:
        return code == CANNOT_START

    def _is_late(self, process: Process) -> None:
        self._connected.clear()  # it may be their connecting that hangs
        super()._is_late(process)

    async def _start(self, theirs: socket.socket) -> tuple[Process, ByteReceiveStream | None]:
        process = await anyio.open_process(
            self._command.line(theirs.fileno(), list(self._connected)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,  # Ctrl-C is for us, who end it in good order
            env={**os.environ, **(self._command.env or {})},
        )
        return process, process.stdout

    def _greet(self, link: Duplex) -> None:
        """The ping's answer comes behind all that it has."""
        self._loading = False
        held, self._held = self._held, []
        link.send([pack(GetProperties()), pack(PingRequest(SETTLED.decode())), *held])

    # --- frames ---

    def _missed(self, frame: Frame) -> None:
        """What is asked while it is loaded anew is not lost, as far as memory goes."""
        if not self._loading or not frame.tag.startswith(b"new"):
            return
        held = sum(len(one.data) for one in self._held)
        if len(self._held) < HELD_FRAMES and (not held or held + len(frame.data) <= HELD_BYTES):
            self._held.append(frame)
        else:
            self.tell(f"{self.name} is being loaded anew, and too much is asked of it meanwhile: this is lost")

    def _take(self, frames: list[Frame]) -> None:
        self._hub.receive(self._peer, [frame for frame in frames if not self._is_for_us(frame)])
        if self._settling:
            self._settling = False
            self._has_defined()

    def _is_for_us(self, frame: Frame) -> bool:
        """The answer to our ping, and why it ends. Which devices are connected is for all, and for us too."""
        if frame.tag == b"pingReply" and SETTLED in frame.data:
            self._settling = True
            return True
        if frame.tag == b"message" and frame.device in FOR_US:
            self._note_words(read(frame))
            return True
        if frame.name == b"CONNECTION":
            with suppress(ProtocolError):  # the hub answers that
                self._note_connection(frame)
        return False

    def _note_words(self, element: Element) -> None:
        if not isinstance(element, Message):
            return
        if element.device == IMPORTS:
            self.imports = frozenset(Path(file) for file in element.message.split(os.pathsep))
        else:
            self._last_words = element.message

    def _note_connection(self, frame: Frame) -> None:
        element = read(frame)
        if not isinstance(element, DefVector | SetVector) or not element.members:
            return
        if not _is_connected(element.members):
            self._connected.pop(element.device, None)
        elif element.state is not State.BUSY:  # that is what was asked for, and not yet true
            self._connected.setdefault(element.device)


def _is_connected(members: Sequence[DefMember | OneMember | OneBlob]) -> bool:
    return any(
        one.name == "CONNECT" and isinstance(one, DefMember | OneMember) and one.value == "On" for one in members
    )
