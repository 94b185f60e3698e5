"""The rest of an app, sentence by sentence: connection, snoop, settings."""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel
import pytest

from indiflask import App, Blob, Device, State, Update
from indiflask.protocol.messages import (
    DefNumber,
    DefVector,
    GetProperties,
    Kind,
    Message,
    OneMember,
    Permission,
    SetVector,
)
from tests.app.kit import running, values

pytestmark = pytest.mark.anyio


@contextmanager
def open_port(name: str) -> Iterator[str]:
    """Nothing is plugged in."""
    if name:
        raise OSError("not there")
    yield name


WIND = DefVector(
    Kind.NUMBER,
    "Weather",
    "WIND",
    state=State.OK,
    permission=Permission.RO,
    members=(DefNumber("SPEED", value="3"),),
)


async def quiet() -> None:
    """Until nothing moves any more."""
    await anyio.wait_all_tasks_blocked()


# --- connection ---


async def test_disconnect_and_connect_in_one_burst_ends_connected() -> None:
    app = App("D")
    opened: list[int] = []

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        opened.append(1)
        yield "x"

    async with running(app) as wire:
        await wire.connect()
        after = len(wire.heard)
        wire.new("CONNECTION", DISCONNECT=True)
        wire.new("CONNECTION", CONNECT=True)
        await wire.until(SetVector, lambda it: values(it)["CONNECT"] == "On", after=after)
        await quiet()
        assert len(opened) == 2
        assert [state for state, _ in wire.sets("CONNECTION")] == [State.OK] * 3


async def test_disconnect_twice_is_answered_twice() -> None:
    app = App("D")
    closing, closed = anyio.Event(), anyio.Event()

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        yield "x"
        closing.set()
        await closed.wait()

    async with running(app) as wire:
        await wire.connect()
        after = len(wire.heard)
        wire.new("CONNECTION", DISCONNECT=True)
        await closing.wait()
        wire.new("CONNECTION", DISCONNECT=True)
        closed.set()
        await wire.answer("CONNECTION", after)
        await quiet()
        answers = [it for it in wire.heard[after:] if isinstance(it, SetVector) and it.state is not State.BUSY]
        assert [(it.state, values(it)["CONNECT"]) for it in answers] == [(State.OK, "Off")] * 2


async def test_disconnect_while_it_is_first_read_closes_in_good_order() -> None:
    app = App("D")
    reading, log = anyio.Event(), list[str]()

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        try:
            yield "x"
        finally:
            await anyio.sleep(0.001)
            log.append("closed")

    @app.number("N")
    async def number() -> float:
        reading.set()
        await anyio.sleep_forever()
        return 1

    async with running(app) as wire:
        wire.new("CONNECTION", CONNECT=True)
        await reading.wait()
        with anyio.fail_after(2):
            wire.new("CONNECTION", DISCONNECT=True)
            answer = await wire.until(SetVector, lambda it: it.state is State.OK)
        assert (values(answer)["DISCONNECT"], log) == ("On", ["closed"])


async def test_lost_at_the_first_reading_is_no_connection() -> None:
    app = App("D")

    @app.connection(lost=OSError)
    async def hardware() -> AsyncIterator[str]:
        yield "x"

    @app.number("N")
    async def number() -> float:
        raise OSError("unplugged")

    async with running(app) as wire:
        answer = await wire.set("CONNECTION", CONNECT=True)
        assert (answer.state, answer.message) == (State.ALERT, "OSError: unplugged")
        assert values(answer)["CONNECT"] == "Off"


@pytest.mark.parametrize("where", ["handler", "readback", "stop", "task"])
async def test_lost_anywhere_disconnects_and_the_request_is_answered(where: str) -> None:
    app = App("D")
    unplugged: list[str] = []
    go = anyio.Event()

    def use(here: str) -> None:
        if here in unplugged:
            raise OSError("unplugged")

    @app.connection(lost=OSError)
    async def hardware() -> AsyncIterator[str]:
        yield "x"

    @app.number("MOVE")
    async def move(x: float = 0) -> None:
        use("handler")
        if where == "stop":
            await anyio.sleep_forever()

    @move.read
    async def place() -> float:
        use("readback")
        if where == "handler" and unplugged:
            await anyio.sleep_forever()
        return 1

    @move.stop
    async def halt() -> None:
        use("stop")

    @app.task
    async def task() -> None:
        await go.wait()
        use("task")

    async with running(app) as wire:
        await wire.connect()
        after = len(wire.heard)
        unplugged.append(where)
        wire.new("MOVE", x=1)
        if where == "stop":
            await wire.busy("MOVE")
            await move.cancel()
        go.set()
        lost = await wire.until(SetVector, lambda it: it.name == "CONNECTION", after=after)
        assert (lost.state, lost.message) == (State.ALERT, "OSError: unplugged")
        if where in ("handler", "readback"):
            answer = await wire.answer("MOVE", after)
            assert (answer.state, answer.message) == (State.ALERT, "OSError: unplugged")
        unplugged.clear()
        await wire.connect()


async def test_a_reading_that_fails_as_before_is_shown_at_the_next_connect() -> None:
    app = App("D")

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        yield "x"

    @app.number("N")
    async def number() -> float:
        raise ValueError("no sensor")

    async with running(app) as wire:
        for _ in range(2):
            after = len(wire.heard)
            await wire.connect()
            assert (await wire.until(DefVector, lambda it: it.name == "N", after=after)).state is State.ALERT
            await wire.disconnect()


async def test_auto_leaves_it_alone_when_a_client_disconnects_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.running.session.AUTO_SECONDS", (0.05,))
    app = App("D")
    attempts: list[int] = []

    @app.connection(auto=True)
    async def hardware() -> AsyncIterator[str]:
        attempts.append(1)
        with open_port("/dev/ttyUSB0") as port:
            yield port

    async with running(app) as wire:
        await wire.disconnect()
        tried = len(attempts)
        await anyio.sleep(0.2)
        assert len(attempts) == tried


async def test_a_plain_connection_is_closed_even_behind_a_def_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.running.session.CLOSE_SECONDS", 0.05)
    app = App("D")
    hold, closed = threading.Event(), threading.Event()

    @app.connection()
    def hardware() -> Iterator[str]:
        yield "x"
        closed.set()

    @app.switch("SLOW")
    def slow(on: bool) -> None:
        hold.wait(10)

    async with running(app) as wire:
        await wire.connect()
        wire.new("SLOW", on=True)
        await wire.busy("SLOW")
        await wire.disconnect()
        assert not closed.is_set()
        hold.set()
        assert await anyio.to_thread.run_sync(closed.wait, 5)


async def test_cancelled_from_outside_the_hardware_is_halted_and_closed() -> None:
    app = App("D")
    log: list[str] = []
    started = anyio.Event()

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        try:
            yield "x"
        finally:
            log.append("closed")

    @app.number("MOVE")
    async def move(x: float = 0) -> None:
        started.set()
        await anyio.sleep_forever()

    @move.stop
    async def halt() -> None:
        await anyio.lowlevel.checkpoint()
        log.append("halted")

    async def fail() -> None:
        async with running(app) as wire:
            await wire.connect()
            wire.new("MOVE", x=1)
            await started.wait()
            raise ValueError("all ends")

    with anyio.fail_after(3), pytest.raises(ExceptionGroup):
        await fail()
    assert log == ["halted", "closed"]


# --- snoop ---


class Ear:
    """Keeps what a snoop handler is told."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self._news = anyio.Event()

    async def hear(self, update: Update) -> None:
        self.updates.append(update)
        self._news.set()
        self._news = anyio.Event()

    async def until(self, count: int) -> Update:
        with anyio.fail_after(5):
            while len(self.updates) < count:
                await self._news.wait()
        return self.updates[count - 1]


async def test_the_same_value_again_and_again_is_not_stale() -> None:
    app = App("D")
    ear = Ear()
    app.snoop("Weather", "WIND", stale=0.4)(ear.hear)
    async with running(app) as wire:
        await wire.until(GetProperties)
        wire.say(WIND)
        for _ in range(12):
            await anyio.sleep(0.05)
            wire.say(SetVector(Kind.NUMBER, "Weather", "WIND", State.OK, members=(OneMember("SPEED", "3"),)))
        assert len(ear.updates) == 1
        assert (await ear.until(2)).gone


async def test_the_latest_wins_while_it_runs() -> None:
    app = App("D")
    told: list[float] = []
    begun, go, done = anyio.Event(), anyio.Event(), anyio.Event()

    @app.snoop("Weather", "WIND")
    async def wind(update: Update) -> None:
        told.append(update["SPEED"])
        begun.set()
        await go.wait()
        if update["SPEED"] == 9:
            done.set()

    async with running(app) as wire:
        await wire.until(GetProperties)
        wire.say(WIND)
        await begun.wait()
        for speed in (7, 8, 9):
            wire.say(SetVector(Kind.NUMBER, "Weather", "WIND", State.OK, members=(OneMember("SPEED", str(speed)),)))
        go.set()
        with anyio.fail_after(5):
            await done.wait()
        assert told == [3, 9]


@pytest.mark.parametrize("by_name", [False, True])
async def test_the_apps_own_device_under_the_servers_name(by_name: bool) -> None:
    app = App("D")
    dome = app.device("Dome")
    ear = Ear()

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    @dome.switch("SHUTTER")
    async def shutter(open: bool) -> None: ...

    app.snoop("Dome" if by_name else dome, "SHUTTER")(ear.hear)
    async with running(app, name="Hill"):
        assert (await ear.until(1)).device == "Hill Dome"
        shutter.publish(open=True)
        assert (await ear.until(2))["open"] is True


async def test_the_naming_property_may_be_another_devices() -> None:
    app = App("D")
    settings = app.device("Settings")
    ear = Ear()

    @settings.text("ACTIVE")
    async def active(weather: str = "Weather") -> None: ...

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    app.snoop(active, "WIND")(ear.hear)
    async with running(app) as wire:
        await wire.until(GetProperties, lambda it: it.device == "Weather")
        active.publish("Other")
        await wire.until(GetProperties, lambda it: it.device == "Other")


def test_updates_are_equal_by_what_they_say() -> None:
    update = Update("W", "P", State.OK, {"A": Blob(b"x")})
    assert update == Update("W", "P", State.OK, {"A": Blob(b"x")})
    assert update != Update("W", "P", State.OK, {"A": Blob(b"y")})
    assert update != Update("W", "P", State.OK, {"A": Blob(b"x")}, gone=True)


# --- settings ---


def saving(app: Device, given: list[str], when: Literal["connected", "always"] = "connected") -> None:
    """Two numbers that are saved, the later named before the earlier."""

    @app.number("Z", save=True, when=when)
    async def z(x: float = 1) -> None:
        given.append(f"Z{x:g}")

    @app.number("A", save=True, when=when)
    async def a(x: float = 1) -> None:
        given.append(f"A{x:g}")


@pytest.mark.parametrize("when", ["connected", "always"])
async def test_given_again_in_order_of_declaration(tmp_path: Path, when: Literal["connected", "always"]) -> None:
    given: list[str] = []

    def make() -> App:
        app = App("D")
        saving(app, given, when)
        return app

    async with running(make(), tmp_path) as wire:
        await wire.set("A", x=5)
        await wire.set("Z", x=6)
    given.clear()
    async with running(make(), tmp_path) as wire:
        definition = await wire.until(DefVector, lambda it: it.name == "A")
        assert values(definition) == {"x": "5"}
        assert given == ["Z6", "A5"]


@pytest.mark.parametrize("name", ["a/b", "..", "é ü", "x" * 300, "CON:1"])
async def test_a_device_may_be_called_anything(tmp_path: Path, name: str) -> None:
    given: list[str] = []
    app = App(name)
    other = app.device("Other")
    saving(app, given)
    saving(other, given)
    async with running(app, tmp_path / "state") as wire:
        assert (await wire.set("A", device=name, x=5)).state is State.OK
        assert (await wire.set("A", device="Other", x=7)).state is State.OK
    assert [path.name async for path in anyio.Path(tmp_path).iterdir()] == ["state"]
    assert json.loads((tmp_path / "state" / "Other.json").read_text()) == {"A": {"x": 7}}


@pytest.mark.parametrize("text", ['{"A": {"x": NaN}}', '{"A": {"x": 1e999}}', '{"A": {"x": true}}', '{"A": 3}', "[]"])
async def test_nonsense_in_the_file_is_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "D.json").write_text(text)
    given: list[str] = []
    app = App("D")
    saving(app, given)
    async with running(app, tmp_path) as wire:
        assert given == []
        assert (await wire.set("A", x=2)).state is State.OK


async def test_default_and_then_save_keeps_the_defaults(tmp_path: Path) -> None:
    given: list[str] = []
    app = App("D")
    saving(app, given)
    async with running(app, tmp_path) as wire:
        await wire.set("A", x=5)
        await wire.set("CONFIG_PROCESS", CONFIG_SAVE=True)
        await wire.set("CONFIG_PROCESS", CONFIG_DEFAULT=True)
        await wire.set("CONFIG_PROCESS", CONFIG_SAVE=True)
        assert json.loads((tmp_path / "D.json").read_text())["A"] == {"x": 1}


async def test_save_that_cannot_write_is_alert(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = App("D")
    saving(app, [])
    async with running(app, tmp_path / "file" / "below") as wire:
        await wire.set("A", x=5)
        answer = await wire.set("CONFIG_PROCESS", CONFIG_SAVE=True)
        assert answer.state is State.ALERT
        assert "settings cannot be saved" in (answer.message or "")


async def test_config_process_while_disconnected_is_refused_in_words(tmp_path: Path) -> None:
    app = App("D")

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        yield "x"

    saving(app, [])
    async with running(app, tmp_path) as wire:
        wire.new("CONFIG_PROCESS", CONFIG_LOAD=True)
        said = await wire.until(Message)
        assert said.message == "CONFIG_PROCESS: D is not connected: set CONNECTION.CONNECT=On first"


async def test_a_slider_that_is_dragged_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from indiflask.running import settings

    writes: list[str] = []
    write: Callable[[Path, str], None] = settings._write

    def counted(path: Path, text: str) -> None:
        writes.append(text)
        write(path, text)

    monkeypatch.setattr(settings, "_write", counted)
    app = App("D")
    saving(app, [])
    async with running(app, tmp_path) as wire:
        for x in range(20):
            await wire.set("A", x=x)
        await wire.set("CONFIG_PROCESS", CONFIG_SAVE=True)
        assert len(writes) == 1
    assert len(writes) == 1
