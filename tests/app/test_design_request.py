"""A request's way and what a decorated name is: the sentences that test_request.py leaves open."""

import threading
from collections.abc import AsyncIterator, Generator
from typing import Annotated, Literal

import anyio
import pytest

from indiflask import App, Blob, Number, Reject, Reply, State
from indiflask.protocol.messages import DefVector, OneBlob, SetVector
from tests.app.kit import running, values

pytestmark = pytest.mark.anyio


async def quiet() -> None:
    """Until nothing moves any more."""
    await anyio.wait_all_tasks_blocked()


async def nothing() -> None: ...


# --- 1 and 2 ---


async def test_step_is_a_hint_and_the_limits_are_inside() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: Annotated[float, Number(min=-1, max=1, step=0.5)] = 0) -> None: ...

    async with running(app) as wire:
        for x in (-1, 0.3, 1):
            assert (await wire.set("N", x=x)).state is State.OK
        for x in (-1.0001, 1.0001):
            assert (await wire.set("N", x=x)).state is State.ALERT


async def test_a_device_that_is_busy_holds_up_no_other_device() -> None:
    app = App("D")
    other = app.device("E")
    hold = threading.Event()

    @app.switch("SLOW")
    def slow(on: bool) -> None:
        hold.wait(5)

    @other.switch("QUICK")
    def quick(on: bool) -> None: ...

    async with running(app) as wire:
        wire.new("SLOW", on=True)
        assert (await wire.set("QUICK", device="E", on=True)).state is State.OK
        hold.set()
        await wire.answer("SLOW")


# --- 3 and 4 ---


async def test_what_a_plain_generator_returns_holds() -> None:
    app = App("D")

    @app.number("N")
    def number(x: float = 0) -> Generator[float, None, float]:
        yield 1
        return 2

    async with running(app) as wire:
        assert values(await wire.set("N", x=9)) == {"x": "2"}


async def test_who_asked_first_is_answered_by_the_successor_too() -> None:
    app = App("D")
    started = anyio.Event()

    @app.number("N")
    async def number(x: float = 0) -> None:
        if x == 1:
            started.set()
            await anyio.sleep_forever()

    async with running(app):
        first = number.request(1)
        await started.wait()
        second = number.request(2)
        with anyio.fail_after(3):
            await first
            await second


async def test_cancelled_tells_what_is_true() -> None:
    app = App("D")
    started = anyio.Event()

    @app.number("N")
    async def number(x: float = 0) -> AsyncIterator[float]:
        yield 3
        started.set()
        await anyio.sleep_forever()

    app.button("ABORT", cancels=[number])(nothing)
    async with running(app) as wire:
        wire.new("N", x=9)
        await started.wait()
        await wire.set("ABORT", ABORT=True)
        answer = await wire.answer("N")
        assert (answer.state, values(answer)) == (State.IDLE, {"x": "3"})


# --- 5: ended early ---


async def test_a_stop_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.running.handler.STOP_SECONDS", 0.05)
    app = App("D")
    started = anyio.Event()

    @app.number("N")
    async def number(x: float = 0) -> None:
        if x == 1:
            started.set()
            await anyio.sleep_forever()

    @number.stop
    async def halt() -> None:
        await anyio.sleep_forever()

    async with running(app) as wire:
        wire.new("N", x=1)
        await started.wait()
        assert values(await wire.set("N", x=2)) == {"x": "2"}


async def test_a_def_that_goes_on_is_told_and_the_next_waits_for_the_thread() -> None:
    app = App("D")
    hold = threading.Event()
    log: list[str] = []

    @app.number("SLOW", deadline=0.06)
    def slow(x: float = 0) -> float:
        hold.wait(5)
        log.append("slow")
        return 77

    @app.number("NEXT")
    def after(x: float = 0) -> None:
        log.append("next")

    async with running(app) as wire:
        answer = await wire.set("SLOW", x=1)
        assert (answer.state, answer.message) == (State.ALERT, "took longer than 0.06 s, and is still running")
        wire.new("NEXT", x=1)
        await wire.busy("NEXT")
        assert log == []
        hold.set()
        await wire.answer("NEXT")
        assert log == ["slow", "next"]
        assert (slow.value, slow.state) == (0, State.ALERT)


async def test_the_stop_of_a_def_is_called_outside_the_queue() -> None:
    app = App("D")
    stopped = threading.Event()
    threads: list[threading.Thread] = []

    @app.number("EXPOSE")
    def expose(x: float = 0) -> None:
        threads.append(threading.current_thread())
        stopped.wait(5)
        raise OSError("aborted")

    @expose.stop
    def stop() -> None:
        threads.append(threading.current_thread())
        stopped.set()

    app.button("ABORT", cancels=[expose])(nothing)
    async with running(app) as wire:
        wire.new("EXPOSE", x=1)
        await wire.busy("EXPOSE")
        assert (await wire.set("ABORT", ABORT=True)).state is State.OK
        answer = await wire.answer("EXPOSE")
        assert (answer.state, answer.message) == (State.IDLE, "cancelled")
        assert len(set(threads)) == 2


# --- 7: readback ---


async def test_busy_readings_show_busy_while_the_handler_runs() -> None:
    app = App("D")
    here = [0.0]
    go = anyio.Event()

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        await go.wait()

    @move.read(busy=0.01)
    async def where() -> float:
        here[0] += 1
        return here[0]

    async with running(app) as wire:
        wire.new("MOVE", to=9)
        await wire.until(SetVector, lambda it: values(it) == {"to": "4"})
        go.set()
        last = await wire.answer("MOVE")
        assert {state for state, _ in wire.sets("MOVE")[:-1]} == {State.BUSY}
        assert last.state is State.OK
        await quiet()
        assert wire.sets("MOVE")[-1] == (State.OK, values(last))  # busy= alone reads no more


async def test_alert_heals_when_it_is_read_again() -> None:
    app = App("D")

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        raise Reject("no")

    @move.read
    async def where() -> Reply[float]:
        return Reply(4, State.IDLE if healed else None)

    healed: list[bool] = []
    async with running(app) as wire:
        for state in (State.OK, State.IDLE):
            assert (await wire.set("MOVE", to=1)).state is State.ALERT
            after = len(wire.heard)
            await anyio.to_thread.run_sync(move.refresh)
            assert (await wire.answer("MOVE", after)).state is state
            healed.append(True)


async def test_an_error_of_a_reading_that_spans_a_handler_is_dropped_too() -> None:
    app = App("D")
    reading, go = anyio.Event(), anyio.Event()
    wanted: list[bool] = []

    @app.number("MOVE")
    async def move(to: float = 0) -> float:
        return to

    @move.read
    async def where() -> float:
        if wanted:
            reading.set()
            await go.wait()
            raise OSError("moving")
        return 0

    async with running(app) as wire:
        wanted.append(True)
        move.refresh()
        await reading.wait()
        await wire.set("MOVE", to=5)
        go.set()
        await quiet()
        assert (move.value, move.state) == (5, State.OK)


# --- the handle ---


async def test_a_published_picture_and_a_reply() -> None:
    app = App("D")
    image = app.published("CCD1", Blob)

    @app.switch("ROOF")
    async def roof(open: bool) -> None: ...

    async with running(app) as wire:
        image.publish(Blob(b"FITS", ".fits"))
        picture = (await wire.until(SetVector, lambda it: it.name == "CCD1")).members[0]
        assert isinstance(picture, OneBlob)
        assert (picture.name, picture.format, picture.size) == ("CCD1", ".fits", 4)
        roof.publish(Reply(state=State.ALERT, message="stuck"))
        answer = await wire.answer("ROOF")
        assert (answer.state, answer.message, values(answer)) == (State.ALERT, "stuck", {"open": "Off"})
        roof.publish(True)
        after = await wire.until(SetVector, lambda it: values(it) == {"open": "On"})
        assert after.state is State.OK


async def test_cancel_delete_and_define_from_a_thread() -> None:
    app = App("D")
    started, cancelled = anyio.Event(), anyio.Event()

    @app.number("N", max=5)
    async def number(x: float = 0) -> None:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    def from_a_thread() -> None:
        _ = number.cancel()
        number.delete()
        number.define(max=7)

    async with running(app) as wire:
        wire.new("N", x=1)
        await started.wait()
        await anyio.to_thread.run_sync(from_a_thread)
        await cancelled.wait()
        await quiet()
        assert wire.deleted() == ["N"]
        defined = [it for it in wire.heard if isinstance(it, DefVector) and it.name == "N"]
        assert getattr(defined[-1].members[0], "max", None) == 7
        assert number.state is State.IDLE


async def test_members_that_went_while_a_handler_ran_stay_away() -> None:
    app = App("D")
    started, go = anyio.Event(), anyio.Event()

    @app.number("N", members=["A", "B"])
    async def number(volts: dict[str, float]) -> None:
        started.set()
        await go.wait()

    async with running(app) as wire:
        wire.new("N", A=1, B=2)
        await started.wait()
        number.define(members=["A"])
        go.set()
        answer = await wire.until(SetVector, lambda it: it.state is State.OK)
        assert values(answer) == {"A": "1"}
        assert number.value == {"A": 1}


# --- around it ---


async def test_a_def_task_that_goes_on_is_not_started_beside_itself() -> None:
    app = App("D")
    hold, begun = threading.Event(), threading.Event()
    now, most = [0], [0]

    @app.connection()
    async def hardware() -> AsyncIterator[Literal["x"]]:
        yield "x"

    @app.task
    def loop() -> None:
        now[0] += 1
        most[0] = max(most[0], now[0])
        begun.set()
        hold.wait(5)
        now[0] -= 1

    async with running(app) as wire:
        for _ in range(3):
            await wire.connect()
            await anyio.to_thread.run_sync(begun.wait, 5)
            await wire.disconnect()
        hold.set()
    assert most[0] == 1
