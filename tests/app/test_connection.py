"""CONNECT opens, DISCONNECT closes, and what exists only in between."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import pytest

from indiflask import App, NotConnected, State
from indiflask.protocol.messages import DefVector, SetVector
from tests.app.kit import running, values

pytestmark = pytest.mark.anyio


@contextmanager
def open_port(name: str) -> Iterator[str]:
    if name:
        raise OSError(f"no such device: {name}")
    yield name


def thing(app: App) -> list[str]:
    """An app with a connection, a property, and a log of what happens to the hardware."""
    log: list[str] = []

    @app.connection(lost=OSError)
    async def hardware() -> AsyncIterator[str]:
        log.append("open")
        yield "hardware"
        log.append("close")

    @app.switch("LED")
    async def led(on: bool) -> None:
        log.append(f"led {on} {hardware.value}")

    @app.number("ALWAYS", when="always")
    async def always(x: float = 0) -> None: ...

    return log


async def test_without_a_connection_function_it_is_on_from_the_start() -> None:
    app = App("D")

    @app.switch("LED")
    async def led(on: bool) -> None: ...

    async with running(app) as wire:
        connection = await wire.until(DefVector)
        assert (connection.name, connection.state, values(connection)) == (
            "CONNECTION",
            State.OK,
            {"CONNECT": "On", "DISCONNECT": "Off"},
        )
        assert (await wire.set("LED", on=True)).state is State.OK


async def test_properties_exist_only_while_connected() -> None:
    app = App("D")
    log = thing(app)
    async with running(app) as wire:
        await anyio.wait_all_tasks_blocked()
        assert "LED" not in wire.definitions()
        await wire.connect()
        defined = await wire.until(DefVector, lambda it: it.name == "LED")
        answer = await wire.answer("CONNECTION")
        assert wire.heard.index(answer) < wire.heard.index(defined)  # Ok first, then the definitions
        await wire.set("LED", on=True)
        await wire.disconnect()
        assert wire.deleted() == ["LED"]
        assert log == ["open", "led True hardware", "close"]


async def test_a_request_while_disconnected_is_refused_in_words() -> None:
    app = App("D")
    log = thing(app)
    async with running(app) as wire:
        wire.new("LED", on=True)
        assert await wire.message() == "LED: D is not connected: set CONNECTION.CONNECT=On first"
        assert (await wire.set("ALWAYS", x=3)).state is State.OK
        assert log == []
        with pytest.raises(NotConnected):
            _ = app.hardware.value


async def test_connect_twice_answers_twice() -> None:
    app = App("D")
    log = thing(app)
    async with running(app) as wire:
        await wire.connect()
        await wire.connect()
        assert log == ["open"]


async def test_what_cannot_be_opened_is_alert() -> None:
    app = App("D")

    @app.connection()
    def hardware() -> Iterator[str]:
        with open_port("/dev/ttyUSB0") as port:
            yield port

    async with running(app) as wire:
        answer = await wire.set("CONNECTION", CONNECT=True)
        assert (answer.state, answer.message) == (State.ALERT, "OSError: no such device: /dev/ttyUSB0")
        assert values(answer) == {"CONNECT": "Off", "DISCONNECT": "On"}


async def test_a_lost_exception_disconnects_with_alert() -> None:
    app = App("D")
    log = thing(app)

    @app.number("READ")
    async def read(x: float = 0) -> None:
        raise OSError("unplugged")

    async with running(app) as wire:
        await wire.connect()
        after = len(wire.heard)
        wire.new("READ", x=1)
        lost = await wire.until(SetVector, lambda it: it.name == "CONNECTION", after=after)
        assert (lost.state, lost.message) == (State.ALERT, "OSError: unplugged")
        assert values(lost) == {"CONNECT": "Off", "DISCONNECT": "On"}
        assert log == ["open", "close"]
        await wire.connect()


async def test_auto_connects_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.running.session.AUTO_SECONDS", (0.01,))
    app = App("D")
    attempts: list[int] = []

    @app.connection(auto=True)
    async def hardware() -> AsyncIterator[int]:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("not yet")
        yield 1

    async with running(app) as wire:
        await wire.until(SetVector, lambda it: it.state is State.OK)
        assert len(attempts) == 3


async def test_a_plain_generator_opens_and_closes_in_the_devices_thread() -> None:
    app = App("D")
    threads: list[threading.Thread] = []

    @app.connection()
    def hardware() -> Iterator[str]:
        threads.append(threading.current_thread())
        yield "x"
        threads.append(threading.current_thread())

    @app.switch("LED")
    def led(on: bool) -> None:
        threads.append(threading.current_thread())

    async with running(app) as wire:
        await wire.connect()
        await wire.set("LED", on=True)
        await wire.disconnect()
        assert len(set(threads)) == 1
        assert threads[0] is not threading.current_thread()


async def test_disconnect_ends_a_connect_that_hangs() -> None:
    app = App("D")

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        await anyio.sleep_forever()
        yield "never"

    async with running(app) as wire:
        wire.new("CONNECTION", CONNECT=True)
        await wire.busy("CONNECTION")
        cancelled = await wire.disconnect()
        assert (cancelled.state, cancelled.message) == (State.IDLE, "cancelled")
        answer = await wire.until(SetVector, lambda it: it.name == "CONNECTION" and it.state is State.OK)
        assert values(answer) == {"CONNECT": "Off", "DISCONNECT": "On"}


async def test_connect_while_connecting_waits_for_the_first() -> None:
    app = App("D")
    log: list[str] = []

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        log.append("open")
        await anyio.sleep(0.06)
        yield "x"

    async with running(app) as wire:
        wire.new("CONNECTION", CONNECT=True)
        await wire.busy("CONNECTION")
        await wire.connect()
        assert log == ["open"]


async def test_a_task_group_may_live_in_the_connection() -> None:
    app = App("D")

    @asynccontextmanager
    async def opened() -> AsyncIterator[str]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield "x"
            tasks.cancel_scope.cancel()

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        async with opened() as it:
            yield it

    async with running(app) as wire:
        await wire.connect()
        assert (await wire.disconnect()).state is State.OK


async def test_what_breaks_inside_the_connection_is_a_loss() -> None:
    app = App("D")
    unplug = anyio.Event()

    async def listen() -> None:
        await unplug.wait()
        raise OSError("unplugged")

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            yield "x"

    async with running(app) as wire:
        await wire.connect()
        after = len(wire.heard)
        unplug.set()
        lost = await wire.until(SetVector, lambda it: it.name == "CONNECTION", after=after)
        assert (lost.state, lost.message) == (State.ALERT, "OSError: unplugged")


async def test_limits_known_once_connected_are_in_the_definition() -> None:
    app = App("D")

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        slot.define(max=7)
        names.define(members=["F1", "F2"])
        yield "x"

    @app.number("SLOT", min=1, max=3)
    async def slot(n: float = 1) -> None: ...

    @app.text("NAMES", members=["F1", "F2", "F3"])
    async def names(texts: dict[str, str]) -> None: ...

    async with running(app) as wire:
        await wire.connect()
        definition = await wire.until(DefVector, lambda it: it.name == "NAMES")
        assert list(values(definition)) == ["F1", "F2"]
        assert (await wire.set("SLOT", n=7)).state is State.OK
        slot.define(max=8)  # while clients have it: deleted first, since KStars drops a second definition
        assert wire.engine is not None
        await wire.until(DefVector, lambda it: it.name == "SLOT", after=len(wire.heard))
        assert wire.deleted() == ["SLOT"]


async def test_tasks_run_only_while_connected_and_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.running.background.RESTART_SECONDS", (0.01,))
    app = App("D")
    thing(app)
    starts: list[str] = []
    ticks = anyio.Event()

    @app.task
    async def task() -> None:
        starts.append("task")
        if len(starts) < 3:
            raise ValueError("hiccup")
        ticks.set()
        await anyio.sleep_forever()

    async with running(app) as wire:
        await anyio.wait_all_tasks_blocked()
        assert starts == []
        await wire.connect()
        await ticks.wait()
        assert await wire.message() == "task: ValueError: hiccup"
        assert len(starts) == 3


async def test_lifespans_are_around_everything() -> None:
    app = App("D")
    log = thing(app)

    @app.lifespan
    async def life() -> AsyncIterator[None]:
        log.append("start")
        yield
        log.append("end")

    async with running(app) as wire:
        await wire.connect()
    assert log == ["start", "open", "close", "end"]
