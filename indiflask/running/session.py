"""``Session``: a device's connection, from CONNECT to DISCONNECT, and what exists only in between."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup, TaskStatus

from indiflask.errors import Reject
from indiflask.protocol.messages import NewVector
from indiflask.running.background import keep_running
from indiflask.running.failures import FAILURES, leaf, text_of
from indiflask.running.handler import ANSWERED, Early
from indiflask.running.live import Live, Request
from indiflask.running.pending import Pending, current_run
from indiflask.running.readback import keep_reading, read_all
from indiflask.running.snoop import keep_snooping
from indiflask.running.worker import Worker
from indiflask.values import State, Values

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
"""How long closing the hardware may take; then the thread or task that hangs in it is left behind."""

AUTO_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Waits between attempts of ``auto=True``: soon after a loose plug, not a log full of a camera that is switched off."""

CONNECTED: Values = {"CONNECT": True, "DISCONNECT": False}
DISCONNECTED: Values = {"CONNECT": False, "DISCONNECT": True}


class Session:
    """Opens the hardware, holds it in one task from start to end, and closes it."""

    def __init__(self, runner: DeviceRunner) -> None:
        self._runner = runner
        self.connected = False
        self._scope: anyio.CancelScope | None = None
        """Of the task that holds the hardware, while there is one."""
        self._inside: anyio.CancelScope | None = None
        """Of what is done while the hardware is open: when that is cancelled, the hardware is closed in good order."""
        self._turned = anyio.Event()
        """Ready or failed: set once for each attempt."""
        self._leave = anyio.Event()
        self._closed = anyio.Event()
        self._failure: BaseException | None = None
        self._ended = anyio.Event()
        """Set at the end of each session, for ``auto``."""
        self._wanted = True
        """Whether a client has not said DISCONNECT: ``auto`` leaves it alone then."""

    # --- the CONNECTION property ---

    def is_disconnect(self, request: Request) -> bool:
        """Whether a request for CONNECTION is one to disconnect, which does not wait in the queue."""
        if isinstance(request.given, NewVector):
            return any(one.name == "DISCONNECT" and getattr(one, "value", "") == "On" for one in request.given.members)
        return bool(request.given.get("DISCONNECT"))

    async def switch(self, choice: str) -> Any:
        """The handler of CONNECTION."""
        self._wanted = choice == "CONNECT"
        if not self._wanted:
            return await self.disconnect()
        if self.connected:
            return None
        await self._open()
        return ANSWERED

    async def _open(self) -> None:
        if self._scope is not None:
            await self._closed.wait()
        self._turned, self._leave, self._closed = anyio.Event(), anyio.Event(), anyio.Event()
        self._failure = None
        self._scope = anyio.CancelScope()
        self._runner.start_soon(self._hold, self._scope)
        try:
            await self._turned.wait()
        except anyio.get_cancelled_exc_class():
            (self._inside or self._scope).cancel()
            raise
        if self._failure is not None:
            raise Reject(text_of(leaf(self._failure))) from self._failure

    async def disconnect(self) -> None:
        """Handlers stopped, properties deleted, hardware closed. Raises Reject for what went wrong in closing."""
        if self._scope is None:
            return
        self._leave.set()
        await self._closed.wait()
        if self._failure is not None:
            raise Reject(text_of(leaf(self._failure))) from self._failure

    def lost(self, error: BaseException) -> None:
        """The hardware is gone: disconnect with Alert."""
        if self.connected or self._inside is not None:
            self._failure = self._failure or error
            self._leave.set()

    async def close(self) -> None:
        """The app ends."""
        if self._scope is not None:
            self._leave.set()
            with anyio.move_on_after(CLOSE_SECONDS + 1):  # it gives up by itself
                await self._closed.wait()

    # --- holding the hardware ---

    async def _hold(self, scope: anyio.CancelScope) -> None:
        """One task opens and closes: what uses a cancel scope or a task group must be left where it was entered."""
        current_run.set(None)  # what runs as long as the connection is no part of the request for it
        try:
            with scope:
                async with self._hardware() as value:
                    self._runner.device.hardware.opened(value)
                    await self._stay()
            if scope.cancelled_caught and self._turned.is_set():
                log.warning("closing %s did not end within %g s", self._runner.name, CLOSE_SECONDS)
        except FAILURES as error:
            self._failure = self._failure or leaf(error)
        finally:
            self._runner.device.hardware.closed()
            self._end()

    async def _stay(self) -> None:
        """The hardware is open, until it is to be closed."""
        try:
            async with anyio.create_task_group() as tasks:
                self._inside = tasks.cancel_scope
                await self._enter(tasks)
                await self._leave.wait()
                tasks.cancel_scope.cancel()
        finally:
            self._inside = None
            with anyio.CancelScope(shield=True):
                await self._exit()

    def _end(self) -> None:
        was_ready = self._turned.is_set()
        self._scope = None
        for event in (self._turned, self._closed, self._ended):
            event.set()
        if self._failure is None:
            return
        if not was_ready or self._runner.connection.busy:
            log.warning("%s: %s", self._runner.name, text_of(self._failure))
            return  # whoever asked is told by the answer
        log.error("%s is lost: %s", self._runner.name, text_of(self._failure))
        self._runner.connection.publish(DISCONNECTED, State.ALERT, text_of(self._failure))

    def _hardware(self) -> AbstractAsyncContextManager[Any]:
        function = self._runner.device.hardware.function
        if function is None:
            return nullcontext()
        if inspect.isasyncgenfunction(function):
            return asynccontextmanager(function)()
        return _in_thread(function, self._runner.worker)

    async def _enter(self, tasks: TaskGroup) -> None:
        """The hardware is open: settings are given again, everything is read, and clients get it in one burst."""
        lives = self._lives("connected")
        await self._runner.settings.give_again(lives)
        await read_all(lives)
        if self._failure is not None:
            raise self._failure  # lost already
        self.connected = True
        self._runner.connection.answer_connected(CONNECTED)
        for live in lives:
            live.define()
        self._turned.set()
        self._start_beside(tasks, "connected")

    async def _exit(self) -> None:
        self.connected = False
        lives = self._lives("connected")
        await self._runner.end_runs(lives, Early.DISCONNECTED)
        for live in lives:
            live.undefine()
            live.prop.state = State.IDLE
            live.read_failure = ""
        self._runner.connection.prop.values = DISCONNECTED
        if self._scope is not None:  # from here the hardware closes
            self._scope.deadline = anyio.current_time() + CLOSE_SECONDS

    def _lives(self, when: str) -> list[Live]:
        return [live for live in self._runner.lives.values() if live.prop.declaration.conduct.when == when]

    def _start_beside(self, tasks: TaskGroup, when: str) -> None:
        """Readbacks, tasks and snoops of this ``when``."""
        for live in self._lives(when):
            if live.readable:
                tasks.start_soon(keep_reading, live)
        for background in self._runner.device.backgrounds:
            if background.when == when:
                tasks.start_soon(keep_running, self._runner, background)
        for snoop in self._runner.device.snoops:
            if snoop.when == when:
                tasks.start_soon(keep_snooping, self._runner, snoop)

    # --- at the start ---

    async def start_always(self, tasks: TaskGroup) -> None:
        """What is there whether connected or not."""
        self._runner.connection.prop.values = DISCONNECTED
        lives = self._lives("always")
        await self._runner.settings.give_again(lives)
        await read_all(lives)
        for live in lives:
            live.define()
        self._start_beside(tasks, "always")

    async def connect_again(self) -> None:
        """After a reload. What goes wrong is CONNECTION's to show."""
        if not self.connected:
            try:
                await self._runner.connection.request(CONNECTED)
            except Reject as reject:
                log.warning("%s could not be connected again: %s", self._runner.name, reject)

    async def keep_connected(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """``auto``: connect at the start and again when lost, until a client disconnects."""
        failures = 0
        pending = await self._try_to_connect()
        task_status.started()
        while True:
            try:
                await pending
                failures = 0
                await self._ended.wait()
            except Reject as reject:
                log.info("%s: %s; trying again", self._runner.name, reject)
            await anyio.sleep(AUTO_SECONDS[min(failures, len(AUTO_SECONDS) - 1)])
            while not self._wanted:
                self._ended = anyio.Event()
                await self._ended.wait()
            failures += 1
            pending = await self._try_to_connect()

    async def _try_to_connect(self) -> Pending:
        """Ask as a client would; returns when it is connected, has failed, or takes longer."""
        self._ended = anyio.Event()
        pending = Pending(f"connecting {self._runner.name}")
        await self._runner.queue.start(Request(self._runner.connection, CONNECTED, pending))
        return pending


@asynccontextmanager
async def _in_thread(function: Callable[[], Iterator[Any]], worker: Worker) -> AsyncIterator[Any]:
    """A plain generator as the connection: opened and closed in the device's thread."""
    manager = contextmanager(function)()
    try:
        value = await worker.run(manager.__enter__)
    except anyio.get_cancelled_exc_class():
        # Opening goes on in the thread, which cannot be interrupted: what it opens is closed right after it.
        worker.submit(manager.__exit__, None, None, None)
        raise
    try:
        yield value
    finally:
        closing = worker.submit(manager.__exit__, None, None, None)  # even if it is late, behind a def that hangs
        with anyio.move_on_after(CLOSE_SECONDS, shield=True) as limit:
            await closing.ended.wait()
        if limit.cancelled_caught:
            log.warning("closing %s did not end within %g s", getattr(function, "__name__", function), CLOSE_SECONDS)
        elif closing.error is not None:
            raise closing.error
