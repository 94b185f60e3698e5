"""``Child``: a driver in a process of its own, supervised. One peer of the hub, whatever process is behind it now."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream, Process, TaskStatus

from indiflask.hub import Hub
from indiflask.links.duplex import Duplex
from indiflask.links.output import copy_lines
from indiflask.links.stream import Stream
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

log = logging.getLogger(__name__)

CANNOT_START = 78
"""The exit code of a child whose target cannot be loaded (sysexits' EX_CONFIG): starting it again would not help."""

RESTART_SECONDS = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before a child that ended is started again: soon after a hiccup, quiet when it is broken."""

STEADY_SECONDS = 60.0
"""A child that has lived so long has started well: the next end is counted from the beginning."""

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
class Patience:
    """How long a child may take, in seconds, and how often it may fail."""

    stop: float = 5.0
    """From SIGTERM to its end, then it is killed: what a motor needs to halt."""
    start: float = 30.0
    """Until it must have defined what it has: imports from an SD card take some, and a module may hang."""
    restarts: int = 10
    """In a row, before it is given up."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a child is started: the command for its end of the socket and the devices to connect first."""

    name: str
    line: Callable[[int, Sequence[str]], list[str]]
    waits_for_change: bool = False
    """Whether a child that cannot start is waited for to be mended, since its files are watched."""
    env: dict[str, str] | None = None


class Child:
    """Keeps a driver's process running and its devices in the hub."""

    def __init__(self, hub: Hub, command: Command, patience: Patience) -> None:
        self.name = command.name
        self._hub = hub
        self._command = command
        self._patience = patience
        self._link: Duplex | None = None
        self._held: list[Frame] = []
        self._process: Process | None = None
        self._deaf = False
        """What it says is not heard any more: it is being ended."""
        self._connected: dict[str, None] = {}
        """Devices that were connected when last heard of, in the order of their connecting."""
        self._loading = False
        """It is being loaded anew: one process has ended and the next has not begun."""
        self._last_words = ""
        self.imports: frozenset[Path] = frozenset()
        """Files of other targets that it has imported."""
        self._reload = anyio.Event()
        self._stopping = anyio.Event()
        self.settled = anyio.Event()
        """Set once it has defined what it has for the first time, or has failed to."""
        self._defined = anyio.Event()
        """Set once the process that runs now has defined what it has."""
        self._settling = False
        """The answer to our ping is among the frames that have just come."""
        self._output_ended = anyio.Event()
        self.failure = ""
        """Why it was given up, where it was."""
        self._peer = hub.join(self.name, self._send, owner=True)

    # --- from outside ---

    @property
    def running(self) -> bool:
        """Whether there is a process now."""
        return self._link is not None

    def reload(self) -> None:
        """End the process, and start another with what its files are now."""
        self._reload.set()

    def stop(self) -> None:
        """End the process, and do not start another."""
        self._stopping.set()

    def tell(self, text: str) -> None:
        """Something in words about it, for all clients."""
        self._hub.message(self._peer, text)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Supervise until ``stop``, or until it is given up: ``failure`` says so then."""
        task_status.started()
        failures = 0
        try:
            while not self._stopping.is_set():
                began = anyio.current_time()
                code = await self._once()
                if self._stopping.is_set():
                    return
                if not self._reload.is_set():
                    failures = 1 if anyio.current_time() - began > STEADY_SECONDS else failures + 1
                    if not await self._after_an_end(code, failures):
                        return
                if self._reload.is_set():
                    failures = 0
        finally:
            self._hub.leave(self._peer)
            self.settled.set()

    async def _after_an_end(self, code: int, failures: int) -> bool:
        """It ended by itself: whether it is to be started again, now."""
        self._loading = False
        self._held.clear()
        if not self._defined.is_set() and not self._last_words:
            self._connected.clear()  # it may be their connecting that ends it: it comes up without them
        why = self._last_words or _how_it_ended(code)
        hopeless = code == CANNOT_START or failures > self._patience.restarts
        self._hub.suspend(self._peer, f"{self.name} is not running: {why}", alert=True)
        self.tell(f"{self.name} is not running: {why}")
        if hopeless and not self._command.waits_for_change:
            self.failure = (
                f"{self.name}: {why}" if code == CANNOT_START else f"{self.name} ended {failures} times: {why}"
            )
            log.error("%s is given up: %s", self.name, why)
            return False
        self.settled.set()
        if hopeless:
            log.error("%s: %s; it is loaded again when a file changes", self.name, why)
            await self._changed()
        else:
            pause = RESTART_SECONDS[min(failures, len(RESTART_SECONDS)) - 1]
            log.error("%s: %s; it is started again in %g s", self.name, why, pause)
            with anyio.move_on_after(pause):
                await self._changed()
        return True

    async def _changed(self) -> None:
        """Return when it is to be loaded anew, or the end has come."""
        async with anyio.create_task_group() as tasks:

            async def wait(event: anyio.Event) -> None:
                await event.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(wait, self._reload)
            tasks.start_soon(wait, self._stopping)

    # --- one process ---

    async def _once(self) -> int:
        """Start it and serve it until it ends; its exit code."""
        self._reload, self._defined = anyio.Event(), anyio.Event()
        self._last_words = ""
        self._deaf = False
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await self._start(theirs.fileno())
        except OSError as error:
            ours.close()
            self._last_words = f"it cannot be started: {error.strerror}"
            return CANNOT_START
        stream = Stream(ours)
        self._link = Duplex(stream, self._heard)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._copy_output, self._process.stdout)
                tasks.start_soon(self._end_when_wanted, self._process)
                tasks.start_soon(self._limit_start, self._process)
                tasks.start_soon(self._end_what_it_left, self._process)
                self._greet()
                await self._read(self._link)
                code = await self._limit_end(self._process)
                with anyio.move_on_after(0.2):
                    await self._output_ended.wait()
                tasks.cancel_scope.cancel()
            return code
        finally:
            self._link = None
            self._kill(self._process)
            with anyio.CancelScope(shield=True):
                await self._process.aclose()
            stream.close()

    async def _start(self, descriptor: int) -> Process:
        self._output_ended = anyio.Event()
        line = self._command.line(descriptor, list(self._connected))
        return await anyio.open_process(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
            start_new_session=True,  # Ctrl-C is for us, who end it in good order
            env={**os.environ, **(self._command.env or {})},
        )

    def _greet(self) -> None:
        """It is asked for all that it has; the ping's answer comes behind that."""
        self._hub.resume(self._peer)
        self._loading = False
        held, self._held = self._held, []
        if self._link is not None:
            self._link.send([pack(GetProperties()), pack(PingRequest(SETTLED.decode())), *held])

    async def _read(self, link: Duplex) -> None:
        try:
            await link.run()
        except ProtocolError as error:
            self._last_words = f"it said what is no INDI: {error}"
            if self._process is not None:
                self._kill(self._process)

    async def _end_when_wanted(self, process: Process) -> None:
        """Reloading or stopping: it has its time to halt its hardware, then it is killed."""
        await self._changed()
        if self._stopping.is_set():
            log.debug("%s: ending it", self.name)
        else:
            self._loading = True
            self._hub.suspend(self._peer, "", alert=False)
        self._deaf = True
        with suppress(ProcessLookupError):
            process.terminate()
        await self._limit_end(process)

    async def _limit_end(self, process: Process) -> int:
        """Its exit code, once it has ended or has been killed."""
        with anyio.move_on_after(self._patience.stop):
            return await process.wait()
        log.warning("%s did not end within %g s: it is killed", self.name, self._patience.stop)
        self._kill(process)
        return await process.wait()

    async def _limit_start(self, process: Process) -> None:
        with anyio.move_on_after(self._patience.start):
            await self._defined.wait()
            return
        self._last_words = f"it did not start within {self._patience.start:g} s"
        self._connected.clear()  # it may be their connecting that hangs
        self._kill(process)

    async def _copy_output(self, output: ByteReceiveStream | None) -> None:
        if output is not None:
            await copy_lines(output, self.name)
        self._output_ended.set()

    async def _end_what_it_left(self, process: Process) -> None:
        """A process that it forked holds its ends of the socket and of its output, and its hardware."""
        await process.wait()
        self._kill(process)

    def _kill(self, process: Process) -> None:
        """The process, and those that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    # --- frames ---

    def _send(self, frame: Frame) -> None:
        """The hub's frames go out together, once it has passed on what it has."""
        if self._link is None or self._deaf:
            if self._loading and frame.tag.startswith(b"new"):
                self._hold(frame)
            return
        if self._link.put(frame):
            self._hub.after(self._link.push)

    def _hold(self, frame: Frame) -> None:
        """What is asked meanwhile is not lost, as far as memory goes."""
        held = sum(len(one.data) for one in self._held)
        if len(self._held) < HELD_FRAMES and (not held or held + len(frame.data) <= HELD_BYTES):
            self._held.append(frame)
        else:
            self.tell(f"{self.name} is being loaded anew, and too much is asked of it meanwhile: this is lost")

    def _heard(self, frames: list[Frame]) -> None:
        if self._deaf:
            return
        self._hub.receive(self._peer, [frame for frame in frames if not self._is_for_us(frame)])
        if self._settling:
            self._settling = False
            self._hub.settle(self._peer)
            self._last_words = ""
            self._defined.set()
            self.settled.set()

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


def _how_it_ended(code: int) -> str:
    if code < 0:
        names = {one.value: one.name for one in signal.Signals}
        return f"it was ended by {names.get(-code, f'signal {-code}')}"
    return f"it ended with exit code {code}"
