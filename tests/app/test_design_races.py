"""What must not stick, hang or be lost when things happen at the same time."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Literal

import anyio
import anyio.lowlevel
import pytest

from indiflask import App, Cancelled, IndiError, Reject, Reply, State, Update
from indiflask.protocol.messages import Kind, NewVector, OneMember, SetVector
from indiflask.running import queue as queue_module
from indiflask.running.pending import current_run
from tests.app.kit import running, values

pytestmark = pytest.mark.anyio


async def quiet() -> None:
    """Until nothing moves any more."""
    await anyio.wait_all_tasks_blocked()


# --- requests of the app itself ---


async def test_a_task_that_asks_leaves_connection_alone() -> None:
    app = App("D")
    go = anyio.Event()

    @app.switch("LED")
    async def led(on: bool) -> None: ...

    @app.task
    async def task() -> None:
        await go.wait()
        await led.request(True)

    async with running(app) as wire:
        go.set()
        await wire.answer("LED")
        await quiet()
        assert wire.engine.runners["D"].connection.prop.state is State.OK
        assert wire.sets("CONNECTION") == []


async def test_a_task_left_behind_by_a_handler_may_ask_for_its_property() -> None:
    app = App("D")
    go, done = anyio.Event(), anyio.Event()
    outside: list[anyio.abc.TaskGroup] = []

    @app.number("A", overlap="queue")
    async def a(x: float = 0) -> None:
        if x == 1:
            outside[0].start_soon(later)

    async def later() -> None:
        await go.wait()
        await a.request(2)
        done.set()

    async with running(app) as wire, anyio.create_task_group() as tasks:
        outside.append(tasks)
        await wire.set("A", x=1)
        go.set()
        await done.wait()
        assert wire.sets("A") == [(State.OK, {"x": "1"}), (State.OK, {"x": "2"})]


async def test_a_handler_that_asks_for_itself_again_and_again_keeps_nothing() -> None:
    app = App("D")
    done = anyio.Event()
    held: list[int] = []

    @app.number("A", overlap="queue")
    async def a(x: float = 0) -> None:
        run = current_run.get()
        held.append(len(run.holders) if run else 0)
        if x < 100:
            _ = a.request(x + 1)
        else:
            done.set()

    async with running(app):
        _ = a.request(0)
        await done.wait()
        assert max(held) <= 2


async def test_asking_in_a_lifespan_is_refused_before_and_after() -> None:
    app = App("D")
    refusals: list[str] = []

    @app.switch("LED")
    async def led(on: bool) -> None: ...

    async def ask() -> None:
        try:
            await led.request(True)
        except IndiError as error:
            refusals.append(str(error))

    @app.lifespan
    async def life() -> AsyncIterator[None]:
        await ask()
        yield
        await ask()
        await led.cancel()

    with anyio.fail_after(3):
        async with running(app):
            pass
    assert refusals == ["request of D.LED: the app is not running"] * 2


async def test_a_property_of_another_device_may_be_asked_and_ask_back() -> None:
    app = App("D")
    dome = app.device("Dome")

    @app.number("A")
    async def a(x: float = 0) -> None:
        await b.request(x)

    @dome.number("B")
    async def b(x: float = 0) -> None:
        await c.request(x)

    @app.number("C")
    async def c(x: float = 0) -> None: ...

    async with running(app) as wire:
        assert (await wire.set("A", x=4)).state is State.OK
        assert (b.value, c.value) == (4, 4)


async def test_a_def_handler_may_ask_without_waiting() -> None:
    app = App("D")

    @app.number("A")
    def a(x: float = 0) -> None:
        _ = b.request(x)

    @app.number("B")
    async def b(x: float = 0) -> None: ...

    async with running(app) as wire:
        await wire.set("A", x=4)
        assert values(await wire.answer("B")) == {"x": "4"}


# --- abort ---


async def test_what_comes_after_an_abort_is_not_dropped() -> None:
    app = App("D")
    started = anyio.Event()

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        if to == 1:
            started.set()
            await anyio.sleep_forever()

    @app.button("ABORT", cancels=[move])
    async def abort() -> None: ...

    async with running(app) as wire:
        wire.new("MOVE", to=1)
        await started.wait()
        wire.new("ABORT", ABORT=True)
        wire.new("MOVE", to=2)
        answer = await wire.until(SetVector, lambda it: it.name == "MOVE" and it.state is State.OK)
        assert values(answer) == {"to": "2"}


@pytest.mark.parametrize("member, value", [("ABORT", "Off"), ("ABROT", "On"), ("ABORT", "Maybe")])
async def test_a_wrong_abort_aborts_nothing(member: str, value: str) -> None:
    app = App("D")
    started = anyio.Event()

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        started.set()
        await anyio.sleep_forever()

    @app.button("ABORT", cancels=[move])
    async def abort() -> None: ...

    async with running(app) as wire:
        wire.new("MOVE", to=1)
        await started.wait()
        wire.say(NewVector(Kind.SWITCH, "D", "ABORT", members=(OneMember(member, value),)))
        await wire.answer("ABORT")
        await quiet()
        assert move.state is State.BUSY


async def test_a_handler_that_cancels_itself_is_told_so_and_cancelled() -> None:
    app = App("D")

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        await move.cancel()

    async with running(app) as wire:
        with anyio.fail_after(3):
            answer = await wire.set("MOVE", to=1)
        assert answer.state in (State.IDLE, State.ALERT)


async def test_cancel_while_it_halts_waits_for_the_halt() -> None:
    app = App("D")
    started, halting, halted = anyio.Event(), anyio.Event(), anyio.Event()
    log: list[str] = []

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        started.set()
        await anyio.sleep_forever()

    @move.stop
    async def halt() -> None:
        halting.set()
        await halted.wait()
        log.append("halted")

    async def cancel_again() -> None:
        await move.cancel()
        log.append("cancelled")

    async with running(app) as wire:
        wire.new("MOVE", to=1)
        await started.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_again)
            await halting.wait()
            tasks.start_soon(cancel_again)
            await quiet()
            assert log == []
            halted.set()
        assert log == ["halted", "cancelled", "cancelled"]


# --- a newer request meanwhile ---


async def test_replaced_twice_while_it_halts_only_the_last_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "BUSY_AFTER", 0)
    app = App("D")
    started, halting, halted = anyio.Event(), anyio.Event(), anyio.Event()
    ran: list[float] = []

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        ran.append(to)
        if to == 1:
            started.set()
            await anyio.sleep_forever()

    @move.stop
    async def halt() -> None:
        halting.set()
        await halted.wait()

    async with running(app) as wire:
        wire.new("MOVE", to=1)
        await started.wait()
        wire.new("MOVE", to=2)
        await halting.wait()
        wire.new("MOVE", to=3)
        await quiet()
        assert ran == [1]
        halted.set()
        assert values(await wire.answer("MOVE")) == {"to": "3"}
        assert ran == [1, 3]
        assert [state for state, _ in wire.sets("MOVE") if state is not State.BUSY] == [State.OK]


async def test_what_was_cancelled_stays_so_when_a_newer_request_comes_meanwhile() -> None:
    app = App("D")
    started, halting, halted = anyio.Event(), anyio.Event(), anyio.Event()

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        if to == 1:
            started.set()
            await anyio.sleep_forever()

    @move.stop
    async def halt() -> None:
        halting.set()
        await halted.wait()

    async with running(app):
        first = move.request(1)
        await started.wait()
        _ = move.cancel()
        await halting.wait()
        second = move.request(2)
        await quiet()
        halted.set()
        with pytest.raises(Cancelled):
            await first
        await second
        assert move.value == 2


async def test_a_place_with_queue_replace_and_reject() -> None:
    app = App("D")
    started, go = anyio.Event(), anyio.Event()
    ran: list[str] = []

    @app.number("A", exclusive="axes")
    async def a(x: float = 0) -> None:
        ran.append(f"A{x:g}")
        started.set()
        await go.wait()

    @app.number("Q", exclusive="axes", overlap="queue")
    async def q(x: float = 0) -> None:
        ran.append(f"Q{x:g}")

    @app.number("R", exclusive="axes", overlap="reject")
    async def r(x: float = 0) -> None:
        ran.append(f"R{x:g}")

    async with running(app) as wire:
        wire.new("A", x=1)
        await started.wait()
        wire.new("Q", x=1)
        await wire.busy("Q")
        refusal = await wire.set("R", x=1)
        assert (refusal.state, refusal.message) == (State.ALERT, "A is still busy")
        go.set()
        assert (await wire.set("A", x=2)).state is State.OK
        await wire.until(SetVector, lambda it: it.name == "Q" and it.state is not State.BUSY)
        assert (await wire.set("R", x=2)).state is State.OK
        assert ran[0] == "A1"
        assert ran[-1] == "R2"
        assert {a.state, r.state} == {State.OK}
        assert q.state in (State.OK, State.IDLE)


async def test_what_waits_for_its_place_stays_busy_whatever_is_read() -> None:
    app = App("D")
    started, go, read_again = anyio.Event(), anyio.Event(), anyio.Event()

    @app.number("A", exclusive="axes")
    async def a(x: float = 0) -> None:
        started.set()
        await go.wait()

    @app.number("B", exclusive="axes", overlap="queue")
    async def b(x: float = 0) -> None: ...

    @b.read
    async def where() -> float:
        if started.is_set():
            read_again.set()
        return 7

    async with running(app) as wire:
        wire.new("A", x=1)
        await started.wait()
        wire.new("B", x=1)
        await wire.busy("B")
        b.refresh()
        await read_again.wait()
        await quiet()
        assert {state for state, _ in wire.sets("B")} == {State.BUSY}
        go.set()
        assert (await wire.answer("B")).state is State.OK


async def test_no_more_than_a_hundred_wait_for_a_place_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "BUSY_AFTER", 0)
    app = App("D")
    go = anyio.Event()

    @app.number("A", overlap="queue")
    async def a(x: float = 0) -> None:
        await go.wait()

    async with running(app) as wire:
        for _ in range(2):
            for n in range(60):
                wire.new("A", x=n)
            await quiet()
        assert any("100 requests wait" in (it.message or "") for it in wire.heard if isinstance(it, SetVector))
        go.set()


# --- ends of handlers ---


async def test_a_handler_that_ends_as_busy_is_due_is_not_left_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "BUSY_AFTER", 0.002)
    app = App("D")

    @app.number("A")
    async def a(x: float = 0) -> None:
        await anyio.sleep(0.002)

    async with running(app) as wire:
        for n in range(50):
            await wire.set("A", x=n)
            await quiet()
            assert a.state is State.OK


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_awaiting_what_was_cancelled_is_the_handlers_error(anyio_backend: str) -> None:
    app = App("D")

    async def cancelled_future() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    @app.number("A")
    async def a(x: float = 0) -> None:
        await cancelled_future()

    @app.number("B")
    async def b(x: float = 0) -> None: ...

    @b.read(every=0.01)
    async def where() -> float:
        await cancelled_future()
        return 1

    async with running(app) as wire:
        assert (await wire.set("A", x=1)).state is State.ALERT
        await wire.until(SetVector, lambda it: it.name == "A")
        assert (await wire.set("A", x=2)).state is State.ALERT
        assert wire.engine.runners["D"].session.connected


@pytest.mark.parametrize("wrong", ["far", None, object(), float("nan"), (1, 2)])
async def test_what_is_no_value_is_alert_in_words_wherever_it_comes_from(wrong: object) -> None:
    app = App("D")

    @app.number("RETURNS")
    async def returns(x: float = 1) -> float:
        return wrong if wrong is not None else "none"  # type: ignore[return-value]

    @app.number("YIELDS")
    async def yields(x: float = 1) -> AsyncIterator[float]:
        yield wrong if wrong is not None else "none"  # type: ignore[misc]

    @app.number("STEPS")
    def steps(x: float = 1) -> Iterator[float]:
        yield 5
        yield wrong if wrong is not None else "none"  # type: ignore[misc]

    @app.number("READS")
    async def reads(x: float = 1) -> None: ...

    @reads.read
    async def where() -> float:
        return wrong if wrong is not None else "none"  # type: ignore[return-value]

    async with running(app) as wire:
        for name in ("RETURNS", "YIELDS", "STEPS", "READS"):
            answer = await wire.set(name, x=9)
            assert answer.state is State.ALERT
            assert f"D.{name}: " in (answer.message or "")
            assert values(answer) == {"x": "1"}


async def test_a_reply_of_the_wrong_type_is_refused_where_it_is_made() -> None:
    with pytest.raises(TypeError, match=r"state=.* not 'Ok'"):
        Reply(5, state="Ok")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"message=.* not OSError\('gone'\)"):
        Reply(5, message=OSError("gone"))  # type: ignore[call-overload]


async def test_a_generator_that_yields_nonsense_is_closed_in_its_thread() -> None:
    app = App("D")
    closed: list[threading.Thread] = []
    made: list[threading.Thread] = []

    @app.number("STEPS")
    def steps(x: float = 1) -> Iterator[float]:
        made.append(threading.current_thread())
        try:
            yield "nonsense"  # type: ignore[misc]
        finally:
            closed.append(threading.current_thread())

    @app.number("NEXT")
    def after(x: float = 1) -> None: ...

    async with running(app) as wire:
        await wire.set("STEPS", x=9)
        await wire.set("NEXT", x=9)
        assert closed == made


Leave = Callable[[], Awaitable[None]]


def exit_from_a_stop(app: App, leave: Leave) -> None:
    moving = anyio.Event()

    @app.number("MOVE")
    async def move(x: float = 0) -> None:
        moving.set()
        await anyio.sleep_forever()

    move.stop(leave)

    @app.task
    async def task() -> None:
        request = move.request(1)
        await moving.wait()
        await move.cancel()
        with suppress(Reject):
            await request


def exit_from_a_source(app: App, leave: Leave) -> None:
    @app.number("SOURCE")
    async def source() -> float:
        await leave()
        return 1


def exit_from_a_snoop(app: App, leave: Leave) -> None:
    @app.snoop("D", "N")
    async def told(update: Update) -> None:
        await leave()


def exit_from_a_connection(app: App, leave: Leave) -> None:
    @app.device("Dome").connection(auto=True)
    async def hardware() -> AsyncIterator[str]:
        await leave()
        yield "never"


EXITS: list[Callable[[App, Leave], object]] = [
    lambda app, leave: app.task(leave),
    lambda app, leave: app.every(60)(leave),
    exit_from_a_stop,
    exit_from_a_source,
    exit_from_a_snoop,
    exit_from_a_connection,
]


@pytest.mark.parametrize("declare", EXITS)
async def test_sys_exit_ends_no_app(declare: Callable[[App, Leave], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.running.background.RESTART_SECONDS", (60,))
    monkeypatch.setattr("indiflask.running.session.AUTO_SECONDS", (60,))
    app = App("D")
    called = anyio.Event()

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    async def leave() -> None:
        called.set()
        sys.exit(3)

    declare(app, leave)
    async with running(app) as wire:
        with anyio.fail_after(3):
            await called.wait()
        await quiet()
        assert (await wire.set("N", x=1)).state is State.OK


# --- publishing ---


async def test_threads_publish_while_handlers_run_and_nothing_sticks() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0) -> float:
        await anyio.lowlevel.checkpoint()
        return x

    def publish() -> None:
        for n in range(300):
            number.publish(-n)

    async with running(app) as wire:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(anyio.to_thread.run_sync, publish)
            for n in range(1, 50):
                await number.request(n)
        assert values(await wire.set("N", x=1000)) == {"x": "1000"}
        assert number.state is State.OK


async def test_a_yield_of_a_switch_is_shown() -> None:
    app = App("D")

    @app.switch("SHUTTER")
    async def shutter(to: Literal["OPEN", "CLOSED", "MOVING"] = "CLOSED") -> AsyncIterator[str]:
        yield "MOVING"
        yield to

    async with running(app) as wire:
        await wire.set("SHUTTER", OPEN=True)
        on = [next(name for name, value in members.items() if value == "On") for _, members in wire.sets("SHUTTER")]
        assert on == ["MOVING", "OPEN", "OPEN"]


# --- leaks, and two runs ---


async def test_a_thousand_requests_leave_nothing_behind() -> None:
    app = App("D")

    @app.number("A")
    async def a(x: float = 0) -> None: ...

    @app.number("B")
    def b(x: float = 0) -> None: ...

    async with running(app) as wire:
        await a.request(0)
        await b.request(0)
        await quiet()
        threads = threading.active_count()
        tasks = len(anyio.get_running_tasks())
        for n in range(500):
            await a.request(n)
            await b.request(n)
        await quiet()
        assert threading.active_count() == threads
        assert len(anyio.get_running_tasks()) <= tasks
        ends = [state for name in "AB" for state, _ in wire.sets(name) if state is not State.BUSY]
        assert ends == [State.OK] * 1002


async def test_a_second_run_begins_as_the_first_did() -> None:
    app = App("D")

    @app.number("N", max=10)
    async def number(x: float = 3) -> None:
        if x == 9:
            raise Reject("no")

    number.publish(4)
    for _ in range(2):
        async with running(app) as wire:
            assert (number.value, number.state, number.definition.members[0].name) == (4, State.IDLE, "x")
            await wire.set("N", x=5)
            number.define(max=20)
            await wire.set("N", x=9)
            assert number.state is State.ALERT


async def test_nothing_starts_while_the_app_ends() -> None:
    app = App("D")
    started, halting = anyio.Event(), anyio.Event()
    ran: list[float] = []

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        started.set()
        await anyio.sleep_forever()

    @move.stop
    async def halt() -> None:
        halting.set()
        wire.say(NewVector(Kind.NUMBER, "D", "OTHER", members=(OneMember("x", "1"),)))
        await anyio.sleep(0.01)

    @app.number("OTHER")
    async def other(x: float = 0) -> None:
        ran.append(x)

    async with running(app) as wire:
        wire.new("MOVE", to=1)
        await started.wait()
    assert halting.is_set()
    assert ran == []


async def test_abort_while_a_replaced_request_is_halted_is_answered() -> None:
    app = App("D")

    @app.number("GOTO")
    async def goto(x: float = 0) -> None:
        await anyio.sleep_forever()

    @goto.stop
    async def halt() -> None:
        await anyio.sleep(0.1)

    @app.button("ABORT", cancels=[goto])
    async def abort() -> None: ...

    async with running(app) as wire:
        wire.say(NewVector(Kind.NUMBER, "D", "GOTO", members=(OneMember("x", "1"),)))
        await wire.busy("GOTO")
        wire.say(NewVector(Kind.NUMBER, "D", "GOTO", members=(OneMember("x", "2"),)))
        await anyio.sleep(0.02)
        after = len(wire.heard)
        await wire.set("ABORT", ABORT=True)
        assert (await wire.answer("GOTO", after)).state is State.IDLE


async def test_one_request_s_context_variables_are_not_the_next_s() -> None:
    app = App("D")
    var: ContextVar[str] = ContextVar("var", default="unset")
    seen: list[str] = []

    @app.switch("S")
    async def switch(on: bool) -> None:
        seen.append(var.get())
        var.set("leaked")
        await anyio.lowlevel.checkpoint()
        seen.append(var.get())

    async with running(app) as wire:
        await wire.set("S", on=True)
        await wire.set("S", on=False)
    assert seen == ["unset", "leaked"] * 2


async def test_a_busy_switch_may_be_given_other_members() -> None:
    app = App("D")

    @app.switch("S", members=["a", "b"])
    async def switch(given: dict[str, bool]) -> None:
        switch.define(members=["b", "c"])

    async with running(app) as wire:
        assert (await wire.set("S", b=True)).state is State.OK


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_handler_s_task_that_is_cancelled_by_hand_is_followed_by_another() -> None:
    app = App("D")

    @app.switch("S")
    async def switch(on: bool) -> None:
        task = asyncio.current_task()
        if on and task is not None:
            task.cancel()

    async with running(app) as wire:
        await wire.set("S", on=True)
        assert (await wire.set("S", on=False)).state is State.OK
