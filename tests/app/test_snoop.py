"""Snooping devices of the same app, and of elsewhere."""

from collections.abc import AsyncIterator
from dataclasses import replace

import anyio
import pytest

from indiflask import App, State, Update
from indiflask.protocol.messages import (
    DefNumber,
    DefVector,
    DelProperty,
    GetProperties,
    Kind,
    Message,
    OneMember,
    Permission,
    SetVector,
)
from tests.app.kit import Wire, running

pytestmark = pytest.mark.anyio

FOREIGN = DefVector(
    Kind.NUMBER,
    "Weather",
    "WIND",
    state=State.OK,
    permission=Permission.RO,
    members=(DefNumber("SPEED", value="3"),),
)


class Ear:
    """Keeps the updates that a snoop handler got."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self._news = anyio.Event()

    async def __call__(self, update: Update) -> None:
        self.updates.append(update)
        self._news.set()
        self._news = anyio.Event()

    async def until(self, count: int) -> Update:
        with anyio.fail_after(5):
            while len(self.updates) < count:
                await self._news.wait()
        return self.updates[count - 1]

    async def hear(self, update: Update) -> None:
        await self(update)


async def test_another_device_of_the_app_now_and_at_each_change() -> None:
    app = App("D")
    dome = app.device("Dome")
    ear = Ear()

    @dome.switch("SHUTTER")
    async def shutter(open: bool) -> None: ...

    app.snoop(dome, "SHUTTER")(ear.hear)
    async with running(app) as wire:
        first = await ear.until(1)
        assert (first.device, first.name, first["open"]) == ("Dome", "SHUTTER", False)
        await wire.set("SHUTTER", device="Dome", open=True)
        assert (await ear.until(2))["open"] is True


async def test_a_device_elsewhere_is_asked_for() -> None:
    app = App("D")
    ear = Ear()
    app.snoop("Weather", "WIND")(ear.hear)
    async with running(app) as wire:
        await wire.until(GetProperties, lambda it: (it.device, it.name) == ("Weather", "WIND"))
        wire.say(FOREIGN)
        assert (await ear.until(1))["SPEED"] == 3
        wire.say(SetVector(Kind.NUMBER, "Weather", "WIND", State.ALERT, members=(OneMember("SPEED", "-0:30"),)))
        update = await ear.until(2)
        assert (update.state, update["SPEED"]) == (State.ALERT, -0.5)
        wire.say(DelProperty("Weather"))
        assert (await ear.until(3)).gone
        wire.say(DelProperty("Weather", "WIND"))
        wire.say(FOREIGN)
        assert not (await ear.until(4)).gone


async def test_an_empty_set_changes_only_the_state() -> None:
    app = App("D")
    ear = Ear()
    app.snoop("Weather", "WIND")(ear.hear)
    async with running(app) as wire:
        await wire.until(GetProperties)
        wire.say(FOREIGN)
        await ear.until(1)
        wire.say(SetVector(Kind.NUMBER, "Weather", "WIND", State.BUSY, message="calibrating"))
        update = await ear.until(2)
        assert (update.state, update["SPEED"], update.message) == (State.BUSY, 3, "calibrating")


async def test_nothing_for_too_long_is_gone_and_asked_for_again() -> None:
    app = App("D")
    ear = Ear()
    app.snoop("Weather", "WIND", stale=0.15, timeout=0.05)(ear.hear)
    async with running(app) as wire:
        assert (await ear.until(1)).gone
        assert len([it for it in wire.heard if isinstance(it, GetProperties)]) >= 2
        wire.say(FOREIGN)
        assert not (await ear.until(2)).gone
        assert (await ear.until(3)).gone


async def test_the_device_may_be_a_text_propertys_value() -> None:
    app = App("D")
    ear = Ear()

    @app.text("ACTIVE")
    async def active(weather: str = "Weather") -> None: ...

    app.snoop(active, "WIND")(ear.hear)
    async with running(app) as wire:
        await wire.until(GetProperties, lambda it: it.device == "Weather")
        await wire.set("ACTIVE", kind=Kind.TEXT, weather="Other")
        await wire.until(GetProperties, lambda it: it.device == "Other")


async def test_at_each_connect_it_is_told_what_is_known() -> None:
    app = App("D")
    ear = Ear()

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        yield "x"

    app.snoop("Weather", "WIND")(ear.hear)

    async def weather(wire: Wire, after: int) -> None:
        await wire.until(GetProperties, lambda it: it.device == "Weather", after=after)
        wire.say(FOREIGN)

    async with running(app) as wire:
        await anyio.wait_all_tasks_blocked()
        assert not any(isinstance(it, GetProperties) for it in wire.heard)
        for count in (1, 2):
            after = len(wire.heard)
            await wire.connect()
            await weather(wire, after)
            await ear.until(count)
            await wire.disconnect()


async def test_a_handler_that_fails_is_told_and_lives_on() -> None:
    app = App("D")
    seen: list[Update] = []

    @app.snoop("Weather", "WIND")
    async def wind(update: Update) -> None:
        seen.append(update)
        raise ValueError("oops")

    async with running(app) as wire:
        await wire.until(GetProperties)
        wire.say(FOREIGN)
        assert await wire.message() == "snoop of Weather.WIND: ValueError: oops"
        wire.say(SetVector(Kind.NUMBER, "Weather", "WIND", State.BUSY))
        await anyio.wait_all_tasks_blocked()
        assert len(seen) == 2


async def test_messages_and_empty_values_of_a_snooped_driver_end_nothing() -> None:
    """What ended whole servers of others (R-23, R-24)."""
    app = App("D")
    ear = Ear()
    app.snoop("Weather", "WIND")(ear.hear)
    async with running(app) as wire:
        await wire.until(GetProperties)
        wire.say(Message("clouds", "Weather"))
        wire.say(replace(FOREIGN, members=(DefNumber("SPEED", value=""),)))
        assert "SPEED" not in await ear.until(1)
        wire.say(FOREIGN)
        assert (await ear.until(2))["SPEED"] == 3
