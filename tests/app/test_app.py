"""What an app consists of: devices, their names, and what clients get when they ask."""

from __future__ import annotations

from typing import Literal

import pytest

from indiflask import App, Device, SetupLocked
from indiflask.protocol.messages import DefVector, DelProperty, GetProperties, SetVector
from tests.app.kit import Wire, running, values

pytestmark = pytest.mark.anyio


def two() -> App:
    """D with a switch and two numbers, and E with a light switch."""
    app = App("D", interface="dustcap lightbox", version="2.5")
    other = app.device("E")

    @app.switch("MODE")
    async def mode(choice: Literal["A", "B", "C"] = "A") -> None: ...

    @app.number("GAINS", members=["RED", "BLUE"])
    async def gains(each: dict[str, float]) -> None: ...

    @other.switch("LIGHT")
    async def light(on: bool) -> None: ...

    return app


def defined(wire: Wire, after: int = 0) -> set[tuple[str, str]]:
    return {(it.device, it.name) for it in wire.heard[after:] if isinstance(it, DefVector)}


# --- devices ---


def test_a_name_is_a_devices_alone() -> None:
    app = App("D")
    app.device("E")
    with pytest.raises(ValueError, match="D has a device 'E' already"):
        app.include(Device("E"))
    with pytest.raises(ValueError, match="D has a device 'D' already"):
        app.device("D")


@pytest.mark.parametrize("name", ["", " ", " D", "D\n", "D\0"])
def test_a_device_needs_a_name_that_can_be_read(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        Device(name)


def test_devices_and_properties_are_listed() -> None:
    app = two()
    assert [device.name for device in app.served_devices()] == ["D", "E"]
    assert list(app.properties) == ["MODE", "GAINS"]


def test_an_app_of_others_alone_has_no_device_of_its_own() -> None:
    app = App("Observatory")
    app.include(two())
    assert [device.name for device in app.served_devices()] == ["D", "E"]


async def test_included_devices_are_served() -> None:
    app = App("Observatory")
    app.include(two())
    async with running(app) as wire:
        answer = await wire.set("LIGHT", device="E", on=True)
        assert values(answer) == {"on": "On"}
        assert {("D", "MODE"), ("E", "LIGHT")} <= defined(wire)


async def test_the_servers_name_replaces_the_apps_own() -> None:
    async with running(two(), name="Left") as wire:
        await wire.set("LIGHT", device="Left E", on=True)
        assert {device for device, _ in defined(wire)} == {"Left", "Left E"}


async def test_driver_info_says_what_it_is() -> None:
    async with running(two()) as wire:
        info = await wire.until(DefVector, lambda it: (it.device, it.name) == ("D", "DRIVER_INFO"))
        shown = values(info)
        assert (shown["DRIVER_INTERFACE"], shown["DRIVER_VERSION"]) == (str(512 | 1024), "2.5")


async def test_nothing_can_be_added_while_it_is_served() -> None:
    app = two()
    async with running(app):
        with pytest.raises(SetupLocked, match="property LATE cannot be added to D"):
            app.published("LATE", float)
        with pytest.raises(SetupLocked, match="device F cannot be added"):
            app.device("F")


# --- what clients get ---


@pytest.mark.parametrize(
    "device, name, expected",
    [
        (None, None, {"MODE", "GAINS", "LIGHT"}),
        ("D", None, {"MODE", "GAINS"}),
        ("D", "GAINS", {"GAINS"}),
        ("X", None, set()),
    ],
)
async def test_get_properties_of_all_of_one_device_of_one_property(
    device: str | None, name: str | None, expected: set[str]
) -> None:
    async with running(two()) as wire:
        await wire.set("MODE", A=True)  # the definitions of the start are through
        after = len(wire.heard)
        wire.say(GetProperties(device, name))
        await wire.set("MODE", B=True)  # answered behind all that was asked for before
        assert {name for _, name in defined(wire, after)} & {"MODE", "GAINS", "LIGHT"} == expected


async def test_one_of_many_is_sent_off_before_on() -> None:
    async with running(two()) as wire:
        answer = await wire.set("MODE", A=True)
        assert list(values(answer).items()) == [("B", "Off"), ("C", "Off"), ("A", "On")]


async def test_publish_sends_the_members_that_it_names() -> None:
    app = two()
    async with running(app) as wire:
        app.properties["GAINS"].publish({"BLUE": 2.5})
        news = await wire.until(SetVector, lambda it: it.name == "GAINS")
        assert values(news) == {"BLUE": "2.5"}
        assert values(await wire.set("GAINS", RED=1)) == {"RED": "1", "BLUE": "2.5"}


async def test_delete_and_define_again() -> None:
    app = two()
    async with running(app) as wire:
        await wire.set("GAINS", RED=1)
        after = len(wire.heard)
        app.properties["GAINS"].delete()
        await wire.until(DelProperty, lambda it: it.name == "GAINS", after=after)
        app.properties["GAINS"].publish({"RED": 7})
        assert "D has no property 'GAINS' now" in await refused(wire)
        app.properties["GAINS"].define(max=10)
        again = await wire.until(DefVector, lambda it: it.name == "GAINS", after=after)
        assert values(again) == {"RED": "7", "BLUE": "0"}


async def refused(wire: Wire) -> str:
    after = len(wire.heard)
    wire.new("GAINS", RED=1)
    return await wire.message(after)
