"""What moves: the mount, the roof and the wheel, while they move, when they are stopped, and where they end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.examples.conftest import Serve
from tests.examples.driving import ALERT, BUSY, IDLE, OK, ask, becomes_true, connect, expect
from tests.peers import EXAMPLES, indi_eval, indi_getprop

SKY = "Mount.EQUATORIAL_EOD_COORD"
KEYS = "Mount.TELESCOPE_MOTION_NS"
PARKED = "Roof.DOME_PARK"


@pytest.fixture
def mount(serve: Serve) -> int:
    """The port of a connected mount, that is parked."""
    port = serve("mount.py").port
    connect(port, "Mount")
    return port


@pytest.fixture
def our_mount(serve_ourselves: Serve) -> int:
    """The same, by our server alone."""
    port = serve_ourselves("mount.py").port
    connect(port, "Mount")
    return port


def unpark(port: int) -> None:
    ask(port, "Mount.TELESCOPE_PARK", {"UNPARK": "On"})
    indi_eval(port, f'"Mount.TELESCOPE_PARK.UNPARK" == 1 && "Mount.TELESCOPE_PARK._STATE" == {OK}')


def test_a_slew_is_busy_on_its_way_ok_there_and_idle_where_it_was_aborted(mount: int) -> None:
    unpark(mount)
    ask(mount, SKY, {"RA": "4:30:00", "DEC": "45:30:00"})
    indi_eval(mount, f'"{SKY}._STATE" == {BUSY} && "{SKY}.RA" > 0 && "{SKY}.DEC" > 45.5')
    indi_eval(mount, f'"{SKY}._STATE" == {OK} && "{SKY}.RA" == 4.5 && "{SKY}.DEC" == 45.5')
    ask(mount, SKY, {"RA": 12, "DEC": -60})
    indi_eval(mount, f'"{SKY}._STATE" == {BUSY} && "{SKY}.RA" > 4.5 && "{SKY}.DEC" < 45')
    ask(mount, "Mount.TELESCOPE_ABORT_MOTION", {"ABORT": "On"})
    expect(mount, {f"{SKY}._STATE": "Idle", f"{SKY}.RA": (4.6, 11.9), f"{SKY}.DEC": (-59, 45)})


def test_a_mount_that_was_halted_stays_there(our_mount: int) -> None:
    unpark(our_mount)
    ask(our_mount, SKY, {"RA": 12, "DEC": -60})
    indi_eval(our_mount, f'"{SKY}._STATE" == {BUSY} && "{SKY}.RA" > 0')
    ask(our_mount, "Mount.TELESCOPE_ABORT_MOTION", {"ABORT": "On"})
    indi_eval(our_mount, f'"{SKY}._STATE" == {IDLE}')
    there = indi_getprop(our_mount, f"{SKY}.RA")[f"{SKY}.RA"]
    moved = becomes_true(our_mount, f'"{SKY}.RA" != {there}', seconds=2.5)  # it reads its axes each 2 s
    assert not moved


def test_a_newer_slew_replaces_the_one_before(our_mount: int) -> None:
    unpark(our_mount)
    ask(our_mount, SKY, {"RA": 20, "DEC": -80})
    indi_eval(our_mount, f'"{SKY}._STATE" == {BUSY} && "{SKY}.RA" > 0')
    ask(our_mount, SKY, {"RA": 1.5, "DEC": 80})
    indi_eval(our_mount, f'"{SKY}._STATE" == {OK} && "{SKY}.RA" == 1.5 && "{SKY}.DEC" == 80')


def test_sync_before_a_slew_is_heard_by_it(mount: int) -> None:
    """Both requests are sent without waiting for an answer in between, as Ekos sends them."""
    unpark(mount)
    ask(mount, "Mount.ON_COORD_SET", {"SYNC": "On"})
    ask(mount, SKY, {"RA": 23.5, "DEC": -89})
    expect(mount, {f"{SKY}.RA": 23.5, f"{SKY}.DEC": -89, f"{SKY}._STATE": "Idle"}, seconds=4)  # a slew takes 7 s
    ask(mount, "Mount.ON_COORD_SET", {"TRACK": "On"})
    ask(mount, SKY, {"RA": 23, "DEC": -88})
    expect(mount, {f"{SKY}.RA": 23, f"{SKY}.DEC": -88, f"{SKY}._STATE": "Ok"})


def test_parking_returns_to_the_pole(our_mount: int) -> None:
    unpark(our_mount)
    ask(our_mount, SKY, {"RA": 0.5, "DEC": 80})
    indi_eval(our_mount, f'"{SKY}._STATE" == {OK} && "{SKY}.DEC" == 80')
    ask(our_mount, "Mount.TELESCOPE_PARK", {"PARK": "On"})
    expect(our_mount, {"Mount.TELESCOPE_PARK._STATE": "Ok", "Mount.TELESCOPE_PARK.PARK": "On"})
    expect(our_mount, {f"{SKY}._STATE": "Idle", f"{SKY}.RA": 0, f"{SKY}.DEC": 90})


def test_the_mount_moves_while_a_key_is_held(our_mount: int) -> None:
    unpark(our_mount)
    ask(our_mount, KEYS, {"MOTION_SOUTH": "On"})
    indi_eval(our_mount, f'"{KEYS}._STATE" == {BUSY} && "{KEYS}.MOTION_SOUTH" == 1')
    indi_eval(our_mount, f'"{SKY}.DEC" < 90')
    ask(our_mount, KEYS, {"MOTION_SOUTH": "Off"})
    expect(our_mount, {f"{KEYS}._STATE": "Ok", f"{KEYS}.MOTION_SOUTH": "Off"})


def test_an_abort_lets_go_of_the_key(our_mount: int) -> None:
    unpark(our_mount)
    ask(our_mount, "Mount.TELESCOPE_MOTION_WE", {"MOTION_EAST": "On"})
    indi_eval(our_mount, f'"Mount.TELESCOPE_MOTION_WE._STATE" == {BUSY}')
    ask(our_mount, "Mount.TELESCOPE_ABORT_MOTION", {"ABORT": "On"})
    expect(our_mount, {"Mount.TELESCOPE_MOTION_WE._STATE": "Idle", "Mount.TELESCOPE_MOTION_WE.MOTION_EAST": "Off"})


def test_the_roof_is_stopped_on_its_way_and_closes(serve: Serve) -> None:
    port = serve("roof.py").port
    ask(port, PARKED, {"UNPARK": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {BUSY}')
    ask(port, "Roof.DOME_ABORT_MOTION", {"ABORT": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {IDLE} && "{PARKED}.UNPARK" == 1')
    ask(port, "Roof.DOME_MOTION", {"DOME_CCW": "On"})
    expect(port, {f"{PARKED}.PARK": "On", f"{PARKED}._STATE": "Ok", "Roof.DOME_MOTION._STATE": "Ok"})


def test_the_roof_opens_all_the_way_and_closes(serve_ourselves: Serve) -> None:
    port = serve_ourselves("roof.py").port
    ask(port, "Roof.DOME_MOTION", {"DOME_CW": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {BUSY} && "{PARKED}.UNPARK" == 1')
    expect(port, {f"{PARKED}.UNPARK": "On", f"{PARKED}._STATE": "Ok", "Roof.DOME_MOTION._STATE": "Ok"})
    ask(port, PARKED, {"PARK": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {BUSY} && "{PARKED}.PARK" == 1')
    expect(port, {f"{PARKED}.PARK": "On", f"{PARKED}._STATE": "Ok"})


def test_a_roof_that_was_stopped_stays_there(serve_ourselves: Serve) -> None:
    port = serve_ourselves("roof.py").port
    ask(port, PARKED, {"UNPARK": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {BUSY}')
    ask(port, "Roof.DOME_ABORT_MOTION", {"ABORT": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {IDLE}')
    moved = becomes_true(port, f'"{PARKED}._STATE" != {IDLE}', seconds=3.2)  # open after 2 s, and told 1 s later
    assert not moved


WEATHER = """
from typing import Literal
from indiflask import App, Reply, State

app = App("Cloud Sensor")

@app.light("WEATHER_STATUS", member="CLOUDS")
def status() -> State:
    return State.OK

@app.switch("SKY")
def sky(now: Literal["CLEAR", "RAIN"]) -> None:
    status.publish(Reply(state=State.ALERT if now == "RAIN" else State.OK))
"""


def test_the_roof_closes_when_what_it_snoops_is_alert(
    indiserver: StartServer, stdio_driver: Callable[[str | Path], Path], tmp_path: Path, settings: dict[str, str]
) -> None:
    sensor = tmp_path / "sensor.py"
    sensor.write_text(WEATHER)
    port = indiserver(stdio_driver(EXAMPLES / "roof.py"), stdio_driver(sensor), env=settings).port
    ask(port, "Roof.ACTIVE_DEVICES", {"ACTIVE_WEATHER": "Cloud Sensor"})
    ask(port, PARKED, {"UNPARK": "On"})
    indi_eval(port, f'"{PARKED}._STATE" == {BUSY}')
    ask(port, "Cloud Sensor.SKY", {"RAIN": "On"})  # while it opens
    indi_eval(port, f'"Cloud Sensor.WEATHER_STATUS._STATE" == {ALERT}')
    expect(port, {f"{PARKED}.PARK": "On", f"{PARKED}._STATE": "Ok"})


def test_a_wheel_has_its_slots_once_it_is_connected(serve: Serve) -> None:
    port = serve("wheel.py").port
    connect(port, "Wheel")
    names = [f"Wheel.FILTER_NAME.FILTER_SLOT_NAME_{slot}" for slot in range(1, 6)]
    assert indi_getprop(port, *names) == dict.fromkeys(names, "")
    ask(port, "Wheel.FILTER_SLOT", {"FILTER_SLOT_VALUE": 5})
    indi_eval(port, f'"Wheel.FILTER_SLOT._STATE" == {BUSY} && "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE" == 1')
    expect(port, {"Wheel.FILTER_SLOT._STATE": "Ok", "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE": 5})
    ask(port, "Wheel.FILTER_SLOT", {"FILTER_SLOT_VALUE": 6})
    expect(port, {"Wheel.FILTER_SLOT._STATE": "Alert", "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE": 5})
    ask(port, "Wheel.FILTER_SLOT", {"FILTER_SLOT_VALUE": 4})
    expect(port, {"Wheel.FILTER_SLOT._STATE": "Ok", "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE": 4})
