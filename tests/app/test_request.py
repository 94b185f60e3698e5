"""A request's way, step by step."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Literal, NamedTuple

import anyio
import pytest

from indiflask import App, Blob, Cancelled, IndiError, Number, Reject, Reply, State
from indiflask.protocol.messages import Kind, Message, NewVector, OneBlob, OneMember, SetVector
from tests.app.kit import running, text_of, values

pytestmark = pytest.mark.anyio


# --- 1: checked first, as a whole ---


class Pair(NamedTuple):
    A: Annotated[float, Number(min=0, max=10)] = 1
    B: float = 2


@pytest.mark.parametrize(
    "name, kind, members, text",
    [
        ("PAIR", Kind.NUMBER, {"A": 99}, "A must be between 0 and 10, not 99"),
        ("PAIR", Kind.NUMBER, {"A": "nan"}, "A: 'nan' is no number"),
        ("PAIR", Kind.NUMBER, {"A": "abc"}, "A: 'abc' is no number"),
        ("PAIR", Kind.NUMBER, {"C": 1}, "PAIR has no member 'C'; it has: A, B"),
        ("PAIR", Kind.NUMBER, {}, "names no member; PAIR has: A, B"),
        ("PAIR", Kind.TEXT, {"A": "1"}, "PAIR is a Number property"),
        ("WAY", Kind.SWITCH, {"X": True, "Y": True}, "only one of X, Y can be On, not X and Y"),
        ("WAY", Kind.SWITCH, {"X": False}, "one of X, Y must be On"),
        ("WAY", Kind.SWITCH, {"X": "Maybe"}, "X is On or Off, not 'Maybe'"),
        ("READING", Kind.NUMBER, {"READING": 1}, "READING is read-only"),
    ],
)
async def test_what_is_wrong_never_reaches_the_hardware(
    name: str, kind: Kind, members: dict[str, object], text: str
) -> None:
    app = App("D")
    called: list[object] = []

    @app.number("PAIR")
    def pair(both: Pair) -> None:
        called.append(both)

    @app.switch("WAY")
    def way(choice: Literal["X", "Y"] = "X") -> None:
        called.append(choice)

    @app.number("READING")
    def reading() -> float:
        return 5

    async with running(app) as wire:
        ones = tuple(OneMember(member, text_of(value)) for member, value in members.items())
        wire.say(NewVector(kind, "D", name, members=ones))
        answer = await wire.answer(name)
        assert answer.state is State.ALERT
        assert text in (answer.message or "")
        before = {"PAIR": {"A": "1", "B": "2"}, "WAY": {"Y": "Off", "X": "On"}, "READING": {"READING": "5"}}
        assert values(answer) == before[name]
        assert called == []
        answer = await wire.set("PAIR", A=3)  # the app is alive, and Alert heals
        assert (answer.state, values(answer)) == (State.OK, {"A": "3", "B": "2"})


async def test_an_unknown_property_gets_a_message_with_the_near_name() -> None:
    app = App("D")

    @app.switch("LED")
    def led(on: bool) -> None: ...

    async with running(app) as wire:
        wire.new("LEDD", on=True)
        assert await wire.message() == "D has no property 'LEDD'; did you mean 'LED'?"


async def test_a_wrong_request_leaves_a_running_one_alone() -> None:
    app = App("D")
    go = anyio.Event()

    @app.number("MOVE")
    async def move(to: Annotated[float, Number("TO", min=0, max=10)] = 0) -> None:
        await go.wait()

    async with running(app) as wire:
        wire.new("MOVE", TO=5)
        await wire.busy("MOVE")
        after = len(wire.heard)
        wire.new("MOVE", TO=99)
        refusal = await wire.busy("MOVE", after)
        assert refusal.message == "TO must be between 0 and 10, not 99"
        go.set()
        assert values(await wire.answer("MOVE")) == {"TO": "5"}


async def test_a_whole_number_is_what_an_int_and_clients_get() -> None:
    app = App("D")
    called: list[object] = []

    @app.number("ONE")
    async def one(x: int = 0) -> None:
        called.append(x)

    @app.number("TWO")
    async def two(x: int = 0, y: float = 0) -> None:
        called.append((x, y))

    @app.number("DICT", members=["a", "b"])
    async def by_name(given: dict[str, int]) -> None:
        called.append(given)

    async with running(app) as wire:
        assert values(await wire.set("ONE", x=2.6)) == {"x": "3"}
        assert values(await wire.set("TWO", x=2.6, y=2.6)) == {"x": "3", "y": "2.6"}
        assert values(await wire.set("DICT", a=2.6)) == {"a": "3", "b": "0"}
        await one.request(4)
    assert called == [3, (3, 2.6), {"a": 3, "b": 0}, 4]


async def test_a_long_message_is_cut_and_a_text_without_end_refused() -> None:
    app = App("D")

    @app.switch("FAIL")
    async def fail(on: bool) -> None:
        raise OSError("x" * 10_000)

    file = app.published("FILE", str)

    async with running(app) as wire:
        failed = await wire.set("FAIL", on=True)
        assert failed.message is not None
        assert len(failed.message) < 5000
        assert failed.message.endswith("... (10009 characters)")
    with pytest.raises(ValueError, match="FILE takes at most 1,000,000 characters, not 2,000,000"):
        file.publish("y" * 2_000_000)


# --- 2: in order ---


async def test_a_setting_sent_before_a_goto_is_seen_by_it() -> None:
    app = App("D")
    seen: list[str] = []

    @app.switch("ON_SET")
    def on_set(mode: Literal["TRACK", "SYNC"] = "TRACK") -> None:
        time.sleep(0.02)

    @app.number("GOTO")
    async def goto(ra: float = 0) -> None:
        seen.append(on_set.value)

    async with running(app) as wire:
        wire.new("ON_SET", SYNC=True)
        wire.new("GOTO", ra=1)
        await wire.answer("GOTO")
        assert seen == ["SYNC"]


async def test_a_hundred_requests_may_wait() -> None:
    app = App("D")
    hold = threading.Event()

    @app.number("SLOW")
    def slow(n: float = 0) -> None:
        hold.wait()

    async with running(app) as wire:
        for n in range(120):
            wire.new("SLOW", n=n)
        refusal = await wire.until(SetVector, lambda it: "100 requests wait" in (it.message or ""))
        assert refusal.name == "SLOW"
        hold.set()


# --- 3 and 4: it runs, and its end is the answer ---


async def test_nothing_returned_means_the_asked_values_hold() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0, y: float = 7) -> None: ...

    async with running(app) as wire:
        answer = await wire.set("N", x="1:30:00")
        assert (answer.state, values(answer)) == (State.OK, {"x": "1.5", "y": "7"})
        assert number.value == (1.5, 7)


async def test_every_request_gets_an_answer() -> None:
    app = App("D")

    @app.switch("S")
    async def switch(on: bool) -> None: ...

    async with running(app) as wire:
        for _ in range(3):
            assert values(await wire.set("S", on=True)) == {"on": "On"}
        assert len(wire.sets("S")) == 3


async def test_busy_after_50_ms_with_the_asked_switches_and_the_true_numbers() -> None:
    app = App("D")
    go = anyio.Event()

    @app.switch("PARK")
    async def park(to: Literal["PARK", "UNPARK"] = "PARK") -> None:
        await go.wait()

    @app.number("N")
    async def number(x: float = 4) -> None:
        await go.wait()

    async with running(app) as wire:
        wire.new("PARK", UNPARK=True)
        wire.new("N", x=5)
        assert values(await wire.busy("PARK")) == {"PARK": "Off", "UNPARK": "On"}
        assert values(await wire.busy("N")) == {"x": "4"}
        assert (park.value, number.value) == ("PARK", 4)
        go.set()
        assert values(await wire.answer("N")) == {"x": "5"}


async def test_a_generators_yields_are_busy_and_the_last_is_the_answer() -> None:
    app = App("D")

    @app.number("MOVE")
    async def move(to: float = 0) -> AsyncIterator[float]:
        for here in (1, 2, 3):
            yield here

    @app.number("COUNT")
    def count(to: float = 0) -> Iterator[float]:
        yield from (7, 8)

    async with running(app) as wire:
        await wire.set("MOVE", to=3)
        await wire.set("COUNT", to=8)
        busy, ok = State.BUSY, State.OK
        assert wire.sets("MOVE") == [(busy, {"to": "1"}), (busy, {"to": "2"}), (busy, {"to": "3"}), (ok, {"to": "3"})]
        assert wire.sets("COUNT") == [(busy, {"to": "7"}), (busy, {"to": "8"}), (ok, {"to": "8"})]


@pytest.mark.parametrize(
    "raised, text",
    [
        (Reject("below horizon"), "below horizon"),
        (OSError("unplugged"), "OSError: unplugged"),
        (SystemExit(1), "SystemExit: 1"),
    ],
)
async def test_what_is_raised_is_alert_with_the_values_before(raised: BaseException, text: str) -> None:
    app = App("D")

    @app.number("A")
    async def a(x: float = 1) -> None:
        raise raised

    @app.number("B")
    def b(x: float = 2) -> Iterator[float]:
        yield 5
        raise raised

    async with running(app) as wire:
        for name, before in (("A", "1"), ("B", "2")):
            answer = await wire.set(name, x=9)
            assert (answer.state, answer.message, values(answer)) == (State.ALERT, text, {"x": before})


async def test_a_reply_says_state_and_message() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 1) -> Reply[float]:
        return Reply(8, State.IDLE, "not tracking")

    async with running(app) as wire:
        answer = await wire.set("N", x=9)
        assert (answer.state, answer.message, values(answer)) == (State.IDLE, "not tracking", {"x": "8"})


async def test_a_message_belongs_to_one_set_alone() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 1) -> None:
        if x > 5:
            raise Reject("too far")

    async with running(app) as wire:
        assert (await wire.set("N", x=9)).message == "too far"
        assert (await wire.set("N", x=2)).message is None


async def test_a_button_springs_back() -> None:
    app = App("D")
    pressed: list[str] = []

    @app.button("GO", member="GO")
    async def go() -> None:
        await anyio.sleep(0.06)
        pressed.append("go")

    async with running(app) as wire:
        answer = await wire.set("GO", GO=True)
        assert wire.sets("GO") == [(State.BUSY, {"GO": "On"}), (State.OK, {"GO": "Off"})]
        assert pressed == ["go"]
        assert answer.state is State.OK


async def test_a_button_that_is_let_go_is_answered_and_not_pressed() -> None:
    app = App("D")
    pressed: list[str] = []

    @app.button("GO")
    async def go() -> None:
        pressed.append("go")

    async with running(app) as wire:
        answer = await wire.set("GO", GO=False)
        assert (answer.state, values(answer), pressed) == (State.OK, {"GO": "Off"}, [])


# --- 5: ended early ---


class Motor:
    """Knows whether it was halted."""

    def __init__(self) -> None:
        self.halts = 0
        self.started = anyio.Event()
        self.halted = threading.Event()

    async def run(self) -> None:
        self.started.set()
        await anyio.sleep_forever()

    async def halt(self) -> None:
        await anyio.sleep(0.01)  # an awaited stop: the hardware answers
        self.halts += 1

    def block(self) -> None:
        self.halted.wait(10)

    def halt_now(self) -> None:
        self.halts += 1
        self.halted.set()


def moving(app: App, *, deadline: float = 0, overlap: Literal["replace", "queue", "reject"] = "replace") -> Motor:
    """An app with a property that moves until it is stopped."""
    motor = Motor()

    @app.number("MOVE", deadline=deadline, overlap=overlap)
    async def move(to: float = 0) -> None:
        if to:
            await motor.run()

    move.stop(motor.halt)
    app.button("ABORT", member="ABORT", cancels=[move])(nothing)
    return motor


async def nothing() -> None: ...


async def test_abort_halts_the_hardware() -> None:
    app = App("D")
    motor = moving(app)
    async with running(app) as wire:
        wire.new("MOVE", to=5)
        await motor.started.wait()
        assert (await wire.set("ABORT", ABORT=True)).state is State.OK
        assert motor.halts == 1
        answer = await wire.answer("MOVE")
        assert (answer.state, answer.message, values(answer)) == (State.IDLE, "cancelled", {"to": "0"})


async def test_replaced_is_halted_first_and_answered_by_its_successor() -> None:
    app = App("D")
    motor = moving(app)
    async with running(app) as wire:
        wire.new("MOVE", to=5)
        await motor.started.wait()
        answer = await wire.set("MOVE", to=0)
        assert (motor.halts, answer.state, values(answer)) == (1, State.OK, {"to": "0"})
        assert [state for state, _ in wire.sets("MOVE") if state is not State.BUSY] == [State.OK]


async def test_past_its_deadline_it_is_halted_and_alert() -> None:
    app = App("D")
    motor = moving(app, deadline=0.1)
    async with running(app) as wire:
        answer = await wire.set("MOVE", to=5)
        assert (motor.halts, answer.state, answer.message) == (1, State.ALERT, "took longer than 0.1 s")


async def test_disconnect_halts_the_hardware_before_it_is_closed() -> None:
    app = App("D")
    log: list[str] = []

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        yield "there"
        log.append("closed")

    motor = moving(app)
    async with running(app) as wire:
        await wire.connect()
        wire.new("MOVE", to=5)
        await motor.started.wait()
        answer = await wire.disconnect()
        assert (motor.halts, log, answer.state) == (1, ["closed"], State.OK)


async def test_the_end_of_the_app_halts_the_hardware() -> None:
    app = App("D")
    motor = moving(app)
    async with running(app) as wire:
        wire.new("MOVE", to=5)
        await motor.started.wait()
    assert motor.halts == 1


async def test_a_blocking_def_is_ended_by_its_stop() -> None:
    app = App("D")
    motor = Motor()

    @app.number("MOVE", deadline=0.1)
    def move(to: float = 0) -> None:
        motor.block()

    move.stop(motor.halt_now)
    async with running(app) as wire:
        answer = await wire.set("MOVE", to=5)
        assert (motor.halts, answer.state, answer.message) == (1, State.ALERT, "took longer than 0.1 s")


async def test_a_generator_ends_at_its_yield() -> None:
    app = App("D")
    log: list[str] = []

    @app.number("EXPOSE")
    def expose(seconds: float = 0) -> Iterator[float]:
        try:
            while True:
                yield 1
                time.sleep(0.01)
        finally:
            log.append("shutter closed")

    app.button("ABORT", member="ABORT", cancels=[expose])(nothing)
    async with running(app) as wire:
        wire.new("EXPOSE", seconds=5)
        await wire.busy("EXPOSE")
        await wire.set("ABORT", ABORT=True)
        assert log == ["shutter closed"]


async def test_a_stop_that_fails_is_told() -> None:
    app = App("D")
    motor = moving(app)

    async def broken() -> None:
        raise OSError("no answer")

    app.properties["MOVE"].stop(broken)
    async with running(app) as wire:
        wire.new("MOVE", to=5)
        await motor.started.wait()
        await wire.set("ABORT", ABORT=True)
        answer = await wire.answer("MOVE")
        assert answer.state is State.ALERT
        assert answer.message == "cancelled, and its stop failed: OSError: no answer"


async def test_abort_drops_what_waits() -> None:
    app = App("D")
    hold = threading.Event()
    moved: list[float] = []

    @app.switch("SETTING")
    def setting(on: bool) -> None:
        hold.wait(5)

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        moved.append(to)

    app.button("ABORT", member="ABORT", cancels=[move])(nothing)
    async with running(app) as wire:
        wire.new("SETTING", on=True)
        wire.new("MOVE", to=5)
        await wire.set("ABORT", ABORT=True)
        hold.set()
        await wire.answer("SETTING")
        answer = await wire.answer("MOVE")
        assert (answer.state, moved) == (State.IDLE, [])


# --- 6: a newer request meanwhile ---


async def test_queue_runs_one_after_the_other() -> None:
    app = App("D")
    log: list[str] = []

    @app.number("N", overlap="queue")
    async def number(x: float = 0) -> None:
        log.append(f"{x:g} begins")
        await anyio.sleep(0.07)
        log.append(f"{x:g} ends")

    async with running(app) as wire:
        wire.new("N", x=1)
        wire.new("N", x=2)
        await wire.until(SetVector, lambda it: it.state is State.OK and values(it) == {"x": "2"})
        assert log == ["1 begins", "1 ends", "2 begins", "2 ends"]


async def test_reject_refuses_and_the_right_one_goes_on() -> None:
    app = App("D")
    motor = moving(app, overlap="reject")
    async with running(app) as wire:
        wire.new("MOVE", to=5)
        await motor.started.wait()
        wire.new("MOVE", to=6)
        refusal = await wire.until(SetVector, lambda it: bool(it.message))
        assert (refusal.state, refusal.message, motor.halts) == (State.BUSY, "MOVE is still busy", 0)


async def test_what_waits_does_not_hold_up_other_properties() -> None:
    app = App("D")
    motor = moving(app, overlap="queue")

    @app.switch("LED")
    async def led(on: bool) -> None: ...

    async with running(app) as wire:
        wire.new("MOVE", to=5)
        await motor.started.wait()
        wire.new("MOVE", to=6)
        assert (await wire.set("LED", on=True)).state is State.OK


async def test_an_exclusive_place_is_shared() -> None:
    app = App("D")
    motor = Motor()

    @app.number("GOTO", exclusive="axes")
    async def goto(ra: float = 0) -> None:
        await motor.run()

    @app.switch("PARK", exclusive="axes")
    async def park(to: Literal["PARK", "UNPARK"] = "UNPARK") -> None: ...

    goto.stop(motor.halt)
    async with running(app) as wire:
        wire.new("GOTO", ra=5)
        await motor.started.wait()
        assert (await wire.set("PARK", PARK=True)).state is State.OK
        answer = await wire.answer("GOTO")
        assert (motor.halts, answer.state, answer.message) == (1, State.IDLE, "replaced by PARK")


# --- 7: readback ---


async def test_the_readback_says_what_is_true() -> None:
    app = App("D")
    place = [3.0]

    @app.number("MOVE")
    async def move(to: float = 0) -> None:
        place[0] = to - 0.5

    @move.read
    async def where() -> float:
        return place[0]

    async with running(app) as wire:
        assert values(await wire.set("MOVE", to=9)) == {"to": "8.5"}
        place[0] = 1
        after = len(wire.heard)
        move.refresh()
        assert values(await wire.answer("MOVE", after)) == {"to": "1"}


async def test_readback_is_there_before_the_definitions() -> None:
    app = App("D")

    @app.number("MOVE")
    async def move(to: float = 0) -> None: ...

    @move.read
    def where() -> float:
        return 4

    async with running(app):
        assert move.value == 4


async def test_readback_errors_are_shown_once_and_heal() -> None:
    app = App("D")
    broken = [True]

    @app.number("T", member="T", every=0.02)
    async def temperature() -> float:
        if broken[0]:
            raise OSError("no sensor")
        return 20

    async with running(app) as wire:
        await anyio.sleep(0.1)
        broken[0] = False
        answer = await wire.answer("T")
        assert (answer.state, values(answer)) == (State.OK, {"T": "20"})
        assert len([it for it in wire.heard if isinstance(it, SetVector) and it.state is State.ALERT]) == 0
        assert temperature.state is State.OK


async def test_readings_that_are_due_at_once_are_all_made() -> None:
    app = App("D")
    read: list[int] = []
    for number in range(5):

        @app.number(f"N{number}", every=0.03)
        def source(*, number: int = number) -> float:
            time.sleep(0.002)
            read.append(number)
            return number

    async with running(app) as wire:
        for number in range(5):
            after = len(wire.heard)
            await wire.answer(f"N{number}", after)
        assert set(read[5:]) == set(range(5))


async def test_a_reading_that_is_due_while_the_thread_is_taken_is_skipped() -> None:
    app = App("D")
    hold = threading.Event()
    read: list[float] = []

    @app.number("SLOW")
    def slow(x: float = 0) -> None:
        hold.wait(5)

    @app.number("T", every=0.01)
    def temperature() -> float:
        read.append(time.monotonic())
        return 1

    async with running(app) as wire:
        wire.new("SLOW", x=1)
        await wire.busy("SLOW")
        before = len(read)
        await anyio.sleep(0.1)
        hold.set()
        await wire.answer("SLOW")
        assert len(read) - before <= 1


async def test_a_readback_that_spans_a_handler_is_dropped() -> None:
    app = App("D")
    reading, go_on = anyio.Event(), anyio.Event()

    @app.number("MOVE")
    async def move(to: float = 0) -> float:
        return to

    @move.read
    async def where() -> float:
        if move.host is not None and reading_on[0]:
            reading.set()
            await go_on.wait()
        return 77

    reading_on = [False]
    async with running(app) as wire:
        reading_on[0] = True
        move.refresh()
        await reading.wait()
        await wire.set("MOVE", to=5)
        go_on.set()
        await anyio.wait_all_tasks_blocked()
        assert move.value == 5


# --- request, cancel, publish ---


async def test_request_goes_a_clients_way() -> None:
    app = App("D")

    @app.number("MOVE")
    async def move(to: Annotated[float, Number("TO", max=10)] = 0) -> None:
        if to == 3:
            raise Reject("not 3")

    async with running(app) as wire:
        await move.request(5)
        assert values(await wire.answer("MOVE")) == {"TO": "5"}
        with pytest.raises(Reject, match="not 3"):
            await move.request(3)
        with pytest.raises(Reject, match="between 0 and 10"):
            await move.request(99)


async def test_a_handler_may_ask_another_property() -> None:
    app = App("D")

    @app.switch("PARK")
    async def park(to: Literal["PARK", "UNPARK"] = "UNPARK") -> None: ...

    @app.button("HOME")
    async def home() -> None:
        await park.request("PARK")

    async with running(app) as wire:
        assert (await wire.set("HOME", HOME=True)).state is State.OK
        assert park.value == "PARK"


async def test_awaiting_ones_own_place_is_refused() -> None:
    app = App("D")

    @app.number("A", exclusive="axes")
    async def a(x: float = 0) -> None:
        await b.request(x)

    @app.number("B", exclusive="axes", overlap="queue")
    async def b(x: float = 0) -> None: ...

    async with running(app) as wire:
        answer = await wire.set("A", x=1)
        assert (answer.state, "would wait for itself" in (answer.message or "")) == (State.ALERT, True)


async def test_a_request_that_is_cancelled_raises() -> None:
    app = App("D")
    motor = moving(app)
    move = app.properties["MOVE"]
    async with running(app):
        pending = move.request(5)
        await motor.started.wait()
        await move.cancel()
        with pytest.raises(Cancelled, match="cancelled"):
            await pending
        assert motor.halts == 1
        await move.cancel()  # nothing when idle


async def test_publish_from_a_thread_keeps_the_order() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    def count() -> None:
        for n in range(1000):
            number.publish(n)

    async with running(app) as wire:
        await anyio.to_thread.run_sync(count)
        await wire.until(SetVector, lambda it: values(it) == {"x": "999"})
        assert [vector["x"] for _, vector in wire.sets("N")] == [str(n) for n in range(1000)]


async def test_publish_keeps_busy() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0) -> None:
        number.publish(3)

    async with running(app) as wire:
        await wire.set("N", x=9)
        assert wire.sets("N") == [(State.BUSY, {"x": "3"}), (State.OK, {"x": "9"})]


async def test_publish_before_the_start_sets_the_first_value() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    number.publish(x=5)
    number.publish(Reply(state=State.ALERT))
    async with running(app):
        assert (number.value, number.state) == (5, State.ALERT)


@pytest.mark.parametrize("wrong", ["abc", float("nan"), None, True])
async def test_publish_refuses_what_is_no_value(wrong: object) -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    with pytest.raises((TypeError, ValueError), match=r"D\.N: x takes a"):
        number.publish(wrong)  # type: ignore[call-overload]


async def test_request_needs_a_running_app() -> None:
    app = App("D")

    @app.number("N")
    async def number(x: float = 0) -> None: ...

    with pytest.raises(IndiError, match="not running"):
        await number.request(1)


async def test_an_app_says_messages() -> None:
    app = App("D")
    async with running(app) as wire:
        app.message("<dew> & frost")
        said = await wire.until(Message)
        assert (said.device, said.message) == ("D", "<dew> & frost")


async def test_an_upload_is_acknowledged_and_not_sent_back() -> None:
    app = App("D")
    got: list[Blob] = []

    @app.blob("UPLOAD")
    async def upload(data: Blob) -> None:
        got.append(data)

    @app.blob("DOUBLE")
    async def double(data: Blob) -> Blob:
        return Blob(data.data * 2, data.format)

    async with running(app) as wire:
        for name in ("UPLOAD", "DOUBLE"):
            wire.say(NewVector(Kind.BLOB, "D", name, members=(OneBlob(name, 3, ".txt", b"YWJj"),)))
        answer = await wire.answer("UPLOAD")
        assert (answer.state, answer.members, got) == (State.OK, (), [Blob(b"abc", ".txt")])
        answer = await wire.answer("DOUBLE")
        assert answer.members == (OneBlob("DOUBLE", 6, ".txt", b"YWJjYWJj"),)
