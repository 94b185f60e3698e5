"""``DeviceRunner``: one device while the app runs. Its queue of requests, its thread, its lock."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from indiflask.device import Background, Device
from indiflask.errors import Cancelled, NotConnected, Reject
from indiflask.links.signals import Bell
from indiflask.protocol.messages import Element, Message, NewVector
from indiflask.protocol.writer import pack
from indiflask.running.builtin import config_process, connection, driver_info
from indiflask.running.calls import Callee, call
from indiflask.running.check import known
from indiflask.running.failures import FAILURES, leaf, shown, text_of
from indiflask.running.handler import Early, Run
from indiflask.running.live import Live, Request
from indiflask.running.pending import Pending
from indiflask.running.place import Place
from indiflask.running.queue import Queue
from indiflask.running.session import Session
from indiflask.running.settings import Settings
from indiflask.running.worker import Worker
from indiflask.values import Reply, State, Value, Values

if TYPE_CHECKING:
    from indiflask.running.engine import Engine

log = logging.getLogger(__name__)

MAX_WAITING = 100
"""Requests that may wait for one device. A person cannot make that many; a script in a loop can."""


class DeviceRunner:
    """One device while it runs. Everything is on the loop, but ``emit`` and what takes ``lock``."""

    def __init__(self, device: Device, name: str, engine: Engine) -> None:
        self.device = device
        self.name = name
        self.engine = engine
        self.lock = threading.RLock()
        self.worker = Worker(f"indiflask {name}", engine.loop)
        self.session = Session(self)
        self.settings = Settings(self, engine.state_file(name))
        self.queue = Queue(self)
        self._places: dict[str, Place] = {}
        self._crowd: set[Run] = set()
        """Requests that wait for a place."""
        self._errands: deque[tuple[Callable[..., Coroutine[Any, Any, None]], tuple[Any, ...]]] = deque()
        self._errand = Bell(engine.loop)
        self._readings = 0
        self._task_workers: dict[int, Worker] = {}
        self._tasks: TaskGroup | None = None
        self.lives = self._make_lives()
        self.connection = self.lives["CONNECTION"]
        self.serving = False
        """Requests are taken: from the end of the lifespans' beginning to the devices' end."""
        self._first = [(prop, prop.values, prop.state, prop.definition) for prop in device.properties.values()]

    def _make_lives(self) -> dict[str, Live]:
        """The properties in the order that clients get them: PHD2 connects when it sees DRIVER_INFO."""
        properties = [connection(self), driver_info(self)]
        if any(prop.declaration.conduct.save for prop in self.device.properties.values()):
            properties.append(config_process(self))
        lives = {}
        for prop in [*properties, *self.device.properties.values()]:
            exclusive = prop.declaration.conduct.exclusive
            place = self._places.setdefault(exclusive, Place(self._crowd)) if exclusive else Place(self._crowd)
            lives[prop.definition.name] = prop.host = Live(prop, self, place)
        return lives

    # --- life ---

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve the device until cancelled; ``close`` comes first."""
        async with anyio.create_task_group() as self._tasks:
            self.serving = True
            await self.session.start_always(self._tasks)
            self._tasks.start_soon(self.queue.serve)
            self._tasks.start_soon(self.queue.tell_busy)
            self._tasks.start_soon(self._run_errands)
            if self.device.hardware.options.auto:
                await self._tasks.start(self.session.keep_connected)
            task_status.started()

    async def close(self) -> None:
        """Halt and release the hardware, write the settings, and let clients' properties go."""
        self.serving = False
        await self.end_runs(list(self.lives.values()), Early.STOPPED)
        await self.session.close()
        await self.settings.flush()
        for worker in (self.worker, *self._task_workers.values()):
            worker.close()
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()

    def detach(self) -> None:
        """The app has ended: the properties are no longer live, and as they were before it began."""
        for prop, values, state, definition in self._first:
            prop.host = None
            prop.values, prop.state, prop.definition = values, state, definition

    def soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Run a task as long as the device. Also from a thread's call, where asyncio starts none for anyio."""
        self._errands.append((function, args))
        self._errand.ring()

    async def _run_errands(self) -> None:
        while True:
            await self._errand.wait()
            while self._errands:
                function, args = self._errands.popleft()
                self.start_soon(function, *args)

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Run a task as long as the device. From a task only."""
        if self._tasks is not None:
            self._tasks.start_soon(function, *args)

    def loop_call(self, function: Callable[..., None], *args: Any) -> None:
        """Call on the loop, from any thread."""
        if self.engine.loop.inside:
            function(*args)
        else:
            self.engine.loop.call(function, *args)

    def emit(self, element: Element) -> None:
        """Send something to whoever listens. From any thread; the order is that of the calls."""
        if self.engine.started:
            self.engine.post(pack(element))
        if self.engine.snoops.wants(element):
            self.loop_call(self.engine.snoops.heard, element)

    def message(self, text: str) -> None:
        """Tell clients something in words. From any thread."""
        self.emit(Message(message=shown(text), device=self.name, timestamp=datetime.now(UTC)))

    # --- requests ---

    def receive(self, request: NewVector) -> None:
        """A client's request."""
        live = self.lives.get(request.name)
        if live is not None:
            self.enqueue(Request(live, request))
            return
        visible = [live.name for live in self.lives.values() if live.visible]
        self.message(f"{self.name} has no property {request.name!r}; {known(request.name, visible)}")

    def enqueue(self, request: Request) -> None:
        """Step 2: in order, but buttons that cancel and DISCONNECT, which do not wait."""
        if not self.serving:
            request.finish(NotConnected(f"{request.live.path}: the app ends"))
        elif request.live.urgent and self._overtakes(request):
            pass
        elif len(self.queue) + len(self._crowd) >= MAX_WAITING:
            self.refuse(request, Reject(f"{MAX_WAITING} requests wait for {self.name} already"))
        else:
            self.queue.put(request)

    def _overtakes(self, request: Request) -> bool:
        """Whether a request is one that does not wait. It is on its way then."""
        if request.live.prop.declaration.conduct.cancels:
            self._abort(request)
        elif self.session.is_disconnect(request):
            self._disconnect(request)
        else:
            return False
        return True

    def shows(self, live: Live) -> bool:
        """Whether clients have this property now: while connected, or always."""
        return self.session.connected or live.prop.declaration.conduct.when == "always"

    def check(self, request: Request) -> dict[str, Value]:
        """Step 1: the values asked for. Raises Reject."""
        if not self.serving:
            raise NotConnected(f"{request.live.path}: the app ends")
        if not request.restoring:
            self._check_available(request.live)
        return request.check()

    def _check_available(self, live: Live) -> None:
        if not self.shows(live):
            raise NotConnected(f"{self.name} is not connected: set CONNECTION.CONNECT=On first")
        if not live.visible:
            raise Reject(f"{self.name} has no property {live.name!r} now: it was deleted")

    def refuse(self, request: Request, reject: Reject) -> None:
        log.debug("%s refused: %s", request.live.path, reject)
        if request.live.visible:
            request.live.refuse(str(reject))
        else:
            self.message(f"{request.live.name}: {reject}")
        request.finish(reject)

    def _abort(self, request: Request) -> None:
        """A button with ``cancels=``: what it cancels is halted, then its own function is called."""
        try:
            pressed = any(self.check(request).values())
        except Reject as reject:
            self.refuse(request, reject)
            return
        targets = [prop.host for prop in request.live.prop.declaration.conduct.cancels if pressed]
        # at once: what comes after this request is not to be cancelled by it
        ending = self._begin_to_end([host for host in targets if isinstance(host, Live)], Early.CANCELLED)
        self.soon(self._start_after, ending, request)

    def _disconnect(self, request: Request) -> None:
        """DISCONNECT ends a CONNECT that is under way, and those that wait."""
        run = self.connection.run
        self.drop_waiting(self.connection, Early.CANCELLED)
        if run is not None and run.asked["CONNECT"]:
            run.end_early(Early.CANCELLED)
        self.queue.put(request, first=True)

    async def _start_after(self, ending: list[Run], request: Request) -> None:
        for run in ending:
            await run.ended.wait()
        await self.queue.start(request)

    # --- ending early ---

    def cancel(self, lives: list[Live], pending: Pending) -> None:
        """End what runs and drop what waits; ``pending`` ends when all is halted."""
        ending = self._begin_to_end(lives, Early.CANCELLED)

        async def end() -> None:
            for run in ending:
                await run.ended.wait()
            pending.finish()

        if ending:
            self.soon(end)
        else:
            pending.finish()

    async def end_runs(self, lives: list[Live], why: Early) -> None:
        """End the requests of these properties and wait until their hardware is halted."""
        for run in self._begin_to_end(lives, why):
            await run.ended.wait()

    def _begin_to_end(self, lives: list[Live], why: Early) -> list[Run]:
        """Drop what waits for these properties, and end what runs: those runs."""
        for live in lives:
            live.device.drop_waiting(live, why)
        running = [live.place.current for live in lives]
        ending = [run for run in running if run is not None and run.live in lives]
        for run in ending:
            run.end_early(why)
        return ending

    def drop_waiting(self, live: Live, why: Early) -> None:
        """Forget requests that wait, in the place and in the queue."""
        for run in live.place.drop(live):
            run.dropped(why)
        for request in self.queue.drop(live):
            request.finish(Cancelled(f"{live.path}: {why.value}"))
            if not live.busy:
                live.end({}, State.IDLE, str(why.value))

    def is_loss(self, error: BaseException) -> bool:
        """Whether this exception is one that means the hardware is gone."""
        return isinstance(error, self.device.hardware.options.lost)

    def lose(self, error: BaseException) -> None:
        """Disconnect, if this exception is one that means the hardware is gone."""
        if self.is_loss(error):
            self.session.lost(error)

    # --- calling users' functions ---

    async def read(self, live: Live) -> tuple[Values, State | None, str]:
        """Call a readback or source: its values, state and message."""
        self._readings += 1
        try:
            given = await call(live.reader, (), self.worker, _ignore)
        finally:
            self._readings -= 1
        if given is None:
            return {}, None, ""
        return live.prop.reply_values(given if isinstance(given, Reply) else Reply(given))

    def worker_of(self, background: Background) -> Worker:
        """A thread for a plain ``def`` that runs all along: it would take the device's for good.

        It outlives the connection, as the function may: started again, that waits for its end.
        """
        return self._task_workers.setdefault(id(background), Worker(f"indiflask {self.name} task", self.engine.loop))

    @property
    def thread_taken(self) -> bool:
        """Whether the thread has more to do than readings, which wait for each other."""
        return self.worker.pending > self._readings

    async def call_aside(self, function: Callable[[], Any]) -> None:
        """Call a function outside the queue: in the device's thread if that is free, else in another."""
        callee = Callee(function)
        if not callee.in_thread or not self.worker.busy:
            await call(callee, (), self.worker, _ignore)
            return
        aside = Worker(f"indiflask {self.name} stop", self.engine.loop)
        try:
            await call(callee, (), aside, _ignore)
        finally:
            aside.close()

    async def guarded(
        self, function: Callable[..., Any], what: str, args: tuple[Any, ...] = (), worker: Worker | None = None
    ) -> bool:
        """Call a background function; what it raises is logged and told. Whether it ended well."""
        try:
            await call(Callee(function), args, worker or self.worker, _ignore)
        except FAILURES as error:
            cause = leaf(error)
            log.error("%s of %s failed", what, self.name, exc_info=cause)
            self.message(f"{what}: {text_of(cause)}")
            self.lose(cause)
            return False
        return True

    # --- settings ---

    def remember(self, live: Live, asked: Values) -> None:
        """A request ended Ok: save what was asked, where ``save=True`` says so."""
        if live.prop.declaration.conduct.save:
            self.settings.remember(live, asked)


def _ignore(_: Any) -> None: ...
