"""``Engine``: an app while it runs, whatever it is connected to. Frames in by ``receive``, frames out by ``send``."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskStatus

from indiflask.errors import IndiError, ProtocolError
from indiflask.links.loop import Loop
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefVector,
    DelProperty,
    Element,
    GetProperties,
    Message,
    NewVector,
    PingReply,
    PingRequest,
    SetVector,
)
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack
from indiflask.running.device import DeviceRunner
from indiflask.running.failures import leaf, shown, text_of
from indiflask.running.settings import file_for
from indiflask.running.snoop import Key, Snoops

if TYPE_CHECKING:
    from indiflask.app import App, Lifespan
    from indiflask.property import Property

log = logging.getLogger(__name__)

Send = Callable[[Sequence[Frame]], None]
"""Takes frames to whoever listens. Called on the loop; never blocks."""

FLUSH_AT = 256
"""Frames that may gather on the loop before they are sent without waiting for its next turn."""


CONNECT_SECONDS = 10.0
"""How long clients may wait, after a reload, for devices that are being connected again."""


class Engine:
    """Runs an app: its devices, lifespans and snoops. Made on the loop.

    ``name`` replaces the name of the app's own device (INDIDEV); others become "<name> <their name>".
    ``connect`` names devices that are connected before anybody is told anything: those that were before a reload.
    """

    def __init__(self, app: App, send: Send, *, state_dir: Path, name: str = "", connect: Collection[str] = ()) -> None:
        self._connect = connect
        self.app = app
        self.loop = Loop.current()
        self._send = send
        self._state_dir = state_dir
        self._name = name
        self._out: deque[Frame] = deque()
        self._flushing = False
        self._stopping = anyio.Event()
        self._ready = anyio.Event()
        self._early: list[Frame] = []
        self.started = False
        """Before that nobody is told anything, and what came in waits: whoever asked gets one burst."""
        self.snoops = Snoops(self._ask, lambda device: device in self.runners, self._own_definition, self.loop.time)
        self.runners = {runner.name: runner for runner in self._make_runners()}

    def _make_runners(self) -> list[DeviceRunner]:
        return [DeviceRunner(device, self.wire_name(device.name), self) for device in self.app.served_devices()]

    def wire_name(self, name: str) -> str:
        """The name under which clients know a device; other servers' devices keep theirs."""
        if not self._name or name not in {device.name for device in self.app.served_devices()}:
            return name
        return self._name if name == self.app.name else f"{self._name} {name}"

    def key_of(self, prop: Property[Any, Any]) -> Key:
        """Device and name of a property of this app."""
        devices = [runner.name for runner in self.runners.values() if prop in runner.device.properties.values()]
        return (devices[0] if devices else "", prop.definition.name)

    def state_file(self, device: str) -> Path:
        """Where a device's settings lie."""
        return file_for(self._state_dir, device)

    # --- life ---

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until ``stop``; hardware is halted and closed before this returns. An engine runs once."""
        self._lock(True)
        try:
            async with AsyncExitStack() as stack:
                for lifespan in self.app.lifespans:
                    await self._begin(lifespan, stack)
                await self._run_devices(task_status)
        finally:
            self.flush()
            self._lock(False)

    async def settle(self) -> None:
        """Return when all requests so far have ended or gone Busy."""
        await self._ready.wait()
        for runner in self.runners.values():
            await runner.queue.settle()

    async def _begin(self, lifespan: Lifespan, stack: AsyncExitStack) -> None:
        try:
            await stack.enter_async_context(asynccontextmanager(lifespan)())
        except Exception as error:
            log.exception("the lifespan %s failed", lifespan.__name__)
            raise IndiError(f"{self.app.name} cannot start: {lifespan.__name__}: {text_of(leaf(error))}") from error

    def stop(self) -> None:
        """End ``run``, in good order."""
        self._stopping.set()

    async def _run_devices(self, task_status: TaskStatus[None]) -> None:
        async with anyio.create_task_group() as tasks:
            try:
                for runner in self.runners.values():
                    await tasks.start(runner.run)
                await self._connect_again()
                self._start()
                task_status.started()
                await self._stopping.wait()
            finally:
                with anyio.CancelScope(shield=True):
                    async with anyio.create_task_group() as closing:
                        for runner in self.runners.values():
                            closing.start_soon(runner.close)

    async def _connect_again(self) -> None:
        """As far as it takes no longer than clients may wait, and the end has not come meanwhile."""
        runners = [self.runners[name] for name in self._connect if name in self.runners]
        if not runners:
            return
        with anyio.move_on_after(CONNECT_SECONDS) as limit:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._cancel_at_the_end, limit)
                for runner in runners:
                    await runner.session.connect_again()
                tasks.cancel_scope.cancel()

    async def _cancel_at_the_end(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        scope.cancel()

    def _start(self) -> None:
        self.started = True
        self._ready.set()
        early, self._early = self._early, []
        for frame in early:
            self.receive(frame)

    def _lock(self, locked: bool) -> None:
        self.app.messenger = self if locked else None
        for runner in self.runners.values():
            runner.device.locked = locked
            runner.device.messenger = runner if locked else None
            if not locked:
                runner.detach()
        self.app.locked = locked

    # --- frames out ---

    def message(self, text: str) -> None:
        """Something in words from the app as a whole. From any thread."""
        self.post(pack(Message(message=shown(text), timestamp=datetime.now(UTC))))

    def post(self, frame: Frame) -> None:
        """Send a frame, in the order of the calls. From any thread; never blocks."""
        self._out.append(frame)
        if not self._flushing:
            self._flushing = True
            if self.loop.inside:
                self.loop.soon(self.flush)
            else:
                self.loop.call(self.flush)
        elif len(self._out) >= FLUSH_AT and self.loop.inside:
            self.flush()

    def flush(self) -> None:
        """Send what has gathered."""
        self._flushing = False
        frames = []
        while self._out:
            frames.append(self._out.popleft())
        if frames:
            self._send(frames)

    # --- frames in ---

    def receive(self, frame: Frame) -> None:
        """Something was said to this app, or by a device that it snoops."""
        if not self.started:
            self._early.append(frame)
            return
        try:
            element = read(frame)
        except ProtocolError as error:
            log.warning("what came for %s is no INDI: %s", self.app.name, error)
            self.post(pack(Message(message=str(error), device=frame.device.decode() or None)))
            return
        if isinstance(element, NewVector) and (runner := self.runners.get(element.device)):
            runner.receive(element)
        else:
            self._take(element)

    def _take(self, element: Element) -> None:
        match element:
            case GetProperties():
                self._define(element)
            case PingRequest():
                self.post(pack(PingReply(element.uid)))
            case DefVector() | SetVector() | DelProperty():
                self.snoops.heard(element)
            case _:
                log.debug("nothing is done about %s", type(element).__name__)

    def _define(self, ask: GetProperties) -> None:
        for runner in self.runners.values():
            if ask.device in (None, "", runner.name):
                for live in runner.lives.values():
                    if ask.name in (None, "", live.name):
                        live.define_again()

    # --- snooping ---

    def _ask(self, element: Element) -> None:
        self.post(pack(element))

    def _own_definition(self, key: Key) -> DefVector | None:
        runner = self.runners.get(key[0])
        live = runner.lives.get(key[1]) if runner else None
        return live.definition() if live is not None and live.visible else None
