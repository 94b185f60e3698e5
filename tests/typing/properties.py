"""What type checkers say of decorated names. Nothing here is run; mypy and pyright must agree with each line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal, NamedTuple, assert_type

from indiflask import App, Blob, Number, Property, Reply, State, Update

app = App("Typed")

Choice = Literal["PARK", "UNPARK"]
Volts = Annotated[float, Number("VOLTS", min=0, max=30)]


class Sky(NamedTuple):
    RA: float = 0
    DEC: float = 0


# --- value follows the parameters ---


@app.switch("LED")
def led(on: bool) -> None: ...


@app.switch("PARK")
async def park(to: Choice = "PARK") -> None: ...


@app.switch("MOTION")
async def motion(way: Choice | None = None) -> None: ...


@app.number("VOLTS")
def volts(value: Volts = 0) -> None: ...


@app.number("SLOT")
def slot(number: int = 1) -> None: ...


@app.number("PAIR")
def pair(low: float, high: float = 5) -> None: ...


@app.number("GOTO")
async def goto(target: Sky) -> None: ...


@app.text("NAMES", members=["A", "B"])
def names(texts: dict[str, str]) -> None: ...


@app.blob("UPLOAD")
def upload(file: Blob) -> None: ...


assert_type(led.value, bool)
assert_type(park.value, Choice)
assert_type(motion.value, Choice | None)
assert_type(volts.value, float)
assert_type(slot.value, int)
assert_type(pair.value, tuple[float, float])
assert_type(goto.value, Sky)
assert_type(names.value, dict[str, str])
assert_type(upload.value, Blob)


# --- or what is returned ---


@app.number("TEMPERATURE", every=5)
def temperature() -> float:
    return 20


@app.number("HUMIDITY")
async def humidity() -> float:
    return 50


@app.number("WHERE")
def where() -> Reply[Sky]:
    return Reply(Sky(1, 2), State.IDLE)


@app.light("RAIN")
def rain() -> State:
    return State.OK


image = app.published("CCD1", Blob)

assert_type(temperature.value, float)
assert_type(humidity.value, float)
assert_type(where.value, Sky)
assert_type(rain.value, State)
assert_type(image.value, Blob)


# --- members, state, calling ---

assert_type(goto["RA"], float)
assert_type(led["on"], bool)
assert_type(names["A"], str)
assert_type(rain["RAIN"], State)
assert_type(led.state, State)
assert_type(led(on=True), None)
assert_type(temperature(), float)


# --- publish and request take what the function takes, or gives ---


async def uses() -> None:
    led.publish(True)
    led.publish(on=True)
    goto.publish(Sky(1, 2))
    goto.publish(Reply(state=State.ALERT, message="stuck"))
    temperature.publish(21.5)
    humidity.publish(40)
    image.publish(Blob(b"", ".fits"))
    await park.request("UNPARK")
    await goto.request(Sky())
    await park.cancel()
    led.publish("yes")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    image.publish(3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    await park.request("OPEN")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    led()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


# --- what decorators keep ---


@goto.stop
async def halt() -> None: ...


@goto.read(every=2, busy=0.5)
async def position() -> Reply[Sky]:
    return Reply(Sky())


@slot.read
def slot_now() -> int:
    return 1


@app.snoop("Weather", "WEATHER_STATUS", stale=300)
async def weather(update: Update) -> None:
    assert_type(update.gone, bool)
    assert_type(update.state, State)


@app.every(5)
def tick() -> None: ...


@app.task
async def task() -> None: ...


assert_type(slot_now(), int)
assert_type(tick(), None)


# --- connections ---


class Stepper: ...


@app.connection(lost=OSError)
async def hardware() -> AsyncIterator[Stepper]:
    yield Stepper()


other = app.device("Other")


@other.connection
def plain() -> Iterator[Stepper]:
    yield Stepper()


assert_type(hardware.value, Stepper)
assert_type(plain.value, Stepper)


# --- generators, bare decorators, any property ---


@app.number("EXPOSURE")
def expose(seconds: float) -> Iterator[float]:
    yield seconds


@app.switch
def bare(on: bool) -> None: ...


def any_of(prop: Property[Any, Any]) -> State:
    return prop.state


assert_type(expose.value, float)
assert_type(bare.value, bool)
any_of(bare)
