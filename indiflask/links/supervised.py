"""``Supervised``: a driver in a process of its own. One peer of the hub, whatever process is behind it now."""

from __future__ import annotations

import logging
import os
import signal
import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass

import anyio
from anyio.abc import ByteReceiveStream, Process, TaskStatus

from indiflask.hub import Hub
from indiflask.links.duplex import Duplex
from indiflask.links.output import copy_lines
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame

log = logging.getLogger(__name__)

CANNOT_START = 78
"""The exit code of a child whose target cannot be loaded (sysexits' EX_CONFIG): starting it again would not help."""

RESTART_SECONDS = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before a process that ended is started again: soon after a hiccup, quiet when it is broken."""

STEADY_SECONDS = 60.0
"""One that has lived so long has started well: the next end is counted from the beginning."""

LAST_OUTPUT_SECONDS = 0.2
"""What a process has printed before its end may take so long to come."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a process may take, in seconds, and how often it may fail."""

    stop: float = 5.0
    """From SIGTERM to its end, then it is killed: what a motor needs to halt."""
    start: float = 30.0
    """Until it must have defined what it has: imports from an SD card take some, and a module may hang."""
    restarts: int = 10
    """In a row, before it is given up."""


class Supervised(ABC):
    """Keeps a process running and its devices in the hub. What kind of driver it is, a subclass knows."""

    def __init__(self, hub: Hub, name: str, patience: Patience) -> None:
        self.name = name
        self.settled = anyio.Event()
        """Set once it has defined what it has for the first time, or has failed to."""
        self.failure = ""
        """Why it was given up, where it was."""
        self._hub = hub
        self._patience = patience
        self._link: Duplex | None = None
        self._process: Process | None = None
        self._deaf = False
        """What it says is not heard any more: it is being ended."""
        self._last_words = ""
        """Why it ends, where that is known."""
        self._again = anyio.Event()
        """Set to have it ended and started anew."""
        self._stopping = anyio.Event()
        self._defined = anyio.Event()
        """Set once the process that runs now has defined what it has."""
        self._output_ended = anyio.Event()
        self._peer = hub.join(self.name, self._send, owner=True)

    # --- from outside ---

    @property
    def running(self) -> bool:
        """Whether there is a process now."""
        return self._link is not None

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
                if not self._again.is_set():
                    failures = 1 if anyio.current_time() - began > STEADY_SECONDS else failures + 1
                    if not await self._after_an_end(code, failures):
                        return
                if self._again.is_set():
                    failures = 0
        finally:
            self._hub.leave(self._peer)
            self.settled.set()

    async def _after_an_end(self, code: int, failures: int) -> bool:
        """It ended by itself: whether it is to be started again, now."""
        why = self._last_words or _how_it_ended(code)
        self._ended(why)
        self.tell(f"{self.name} is not running: {why}")
        is_hopeless = self._is_hopeless(code)
        if (is_hopeless or failures > self._patience.restarts) and not self._may_be_mended:
            self.failure = f"{self.name}: {why}" if is_hopeless else f"{self.name} ended {failures} times: {why}"
            log.error("%s is given up: %s", self.name, why)
            return False
        self.settled.set()
        if is_hopeless or failures > self._patience.restarts:
            log.error("%s: %s\n  it is loaded again when a file changes", self.name, why)
            await self._changed()
        else:
            pause = RESTART_SECONDS[min(failures, len(RESTART_SECONDS)) - 1]
            log.error("%s: %s; it is started again in %g s", self.name, why, pause)
            with anyio.move_on_after(pause):
                await self._changed()
        return True

    async def _changed(self) -> None:
        """Return when it is to be started anew, or the end has come."""
        async with anyio.create_task_group() as tasks:

            async def wait(event: anyio.Event) -> None:
                await event.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(wait, self._again)
            tasks.start_soon(wait, self._stopping)

    # --- what kind of driver it is ---

    @abstractmethod
    async def _start(self, theirs: socket.socket) -> tuple[Process, ByteReceiveStream | None]:
        """Start a process with its end of the socket; it, and what it prints. Raises OSError."""

    @abstractmethod
    def _greet(self, link: Duplex) -> None:
        """The first words to a new process: it is asked for all that it has."""

    @abstractmethod
    def _take(self, frames: list[Frame]) -> None:
        """What it says, for the hub."""

    @abstractmethod
    def _ended(self, why: str) -> None:
        """The process has ended by itself: what becomes of its devices."""

    def _ending(self) -> None:  # noqa: B027 - not all have something to do
        """The process is about to be ended, to be started anew."""

    def _missed(self, frame: Frame) -> None:  # noqa: B027 - likewise
        """Something was for it while it was not there."""

    def _is_hopeless(self, code: int) -> bool:  # noqa: ARG002 - for those that tell by it
        """Whether starting it again would not help."""
        return False

    _attaches = False
    """Whether it hands over BLOBs as file descriptors."""

    _may_be_mended = False
    """Whether it is waited for to be mended, when it cannot be started."""

    # --- one process ---

    async def _once(self) -> int:
        """Start it and serve it until it ends; its exit code."""
        self._again, self._defined, self._output_ended = anyio.Event(), anyio.Event(), anyio.Event()
        self._last_words = ""
        self._deaf = False
        self._process = None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process, output = await self._start(theirs)
        except OSError as error:
            ours.close()
            self._last_words = f"it cannot be started: {error.strerror}"
            return CANNOT_START
        self._process = process
        self._link = link = Duplex(ours, self._heard, attaches=self._attaches)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._copy_output, output)
                tasks.start_soon(self._end_when_wanted, process)
                tasks.start_soon(self._limit_start, process)
                tasks.start_soon(self._end_what_it_left, process)
                self._hub.resume(self._peer)
                self._greet(link)
                await self._read(link, process)
                code = await self._limit_end(process)
                with anyio.move_on_after(LAST_OUTPUT_SECONDS):
                    await self._output_ended.wait()
                tasks.cancel_scope.cancel()
            return code
        finally:
            self._link = None
            self._kill(process)
            with anyio.CancelScope(shield=True):
                await process.aclose()
            link.close()

    async def _read(self, link: Duplex, process: Process) -> None:
        try:
            await link.run()
        except ProtocolError as error:
            self._last_words = f"it said what is no INDI: {error}"
            self._kill(process)

    async def _end_when_wanted(self, process: Process) -> None:
        """Starting it anew or stopping: it has its time to halt its hardware, then it is killed."""
        await self._changed()
        if self._stopping.is_set():
            log.debug("%s: ending it", self.name)
        else:
            self._ending()
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
        self._is_late(process)

    def _is_late(self, process: Process) -> None:
        """It has not defined what it has in its time."""
        self._last_words = f"it did not start within {self._patience.start:g} s"
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
            self._missed(frame)
        elif self._link.put(frame):
            self._hub.after(self._link.push)

    def _heard(self, frames: list[Frame]) -> None:
        if not self._deaf:
            self._take(frames)

    def _has_defined(self) -> None:
        """It has told all that it has."""
        self._hub.settle(self._peer)
        self._last_words = ""
        self._defined.set()
        self.settled.set()


def _how_it_ended(code: int) -> str:
    if code < 0:
        names = {one.value: one.name for one in signal.Signals}
        return f"it was ended by {names.get(-code, f'signal {-code}')}"
    return f"it ended with exit code {code}"
