"""The examples as drivers of libindi's indiserver: names, snooping among drivers, output, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.examples.driving import ALERT, BUSY, OK, ask, children, connect, expect, wait_until_ended
from tests.examples.table import EVERY, LAMP, Example
from tests.peers import EXAMPLES, INDIFLASK, Program, indi_eval, stdio_driver

StdioDriver = Callable[[str | Path], Path]


def test_two_drivers_snoop_each_other(
    indiserver: StartServer, stdio_driver: StdioDriver, tmp_path: Path, settings: dict[str, str]
) -> None:
    tmp_path.joinpath("frost.py").write_text(FROST)
    tmp_path.joinpath("season.py").write_text(SEASON)
    port = indiserver(stdio_driver(tmp_path / "frost.py"), stdio_driver(tmp_path / "season.py"), env=settings).port
    ask(port, "Season.MONTH", {"MONTH": 2})
    expect(port, {"Frost.SEEN.SEEN": 2})
    ask(port, "Frost.LIMIT", {"LIMIT": -4.5})
    expect(port, {"Season.SEEN.SEEN": -4.5})
    ask(port, "Season.MONTH", {"MONTH": 3})
    expect(port, {"Frost.SEEN.SEEN": 3, "Season.SEEN.SEEN": -4.5})


FROST = """
from indiflask import App, Update

app = App("Frost")
seen = app.published("SEEN", float)

@app.number("LIMIT")
def limit(LIMIT: float) -> None: ...

@app.snoop("Season", "MONTH")
def season(update: Update) -> None:
    if not update.gone:
        seen.publish(update["MONTH"])
"""

SEASON = """
from indiflask import App, Update

app = App("Season")
seen = app.published("SEEN", float)

@app.number("MONTH")
def month(MONTH: int) -> None: ...

@app.snoop("Frost", "LIMIT")
def frost(update: Update) -> None:
    if not update.gone:
        seen.publish(update["LIMIT"])
"""


def test_an_example_is_snooped_by_a_driver(
    indiserver: StartServer, stdio_driver: StdioDriver, tmp_path: Path, settings: dict[str, str]
) -> None:
    tmp_path.joinpath("blinds.py").write_text(BLINDS)
    port = indiserver(stdio_driver(EXAMPLES / "thermostat.py"), stdio_driver(tmp_path / "blinds.py"), env=settings).port
    expect(port, {"Blinds.WARMTH.WARMTH": (17, 22), "Blinds.WINDOW.WINDOW": "Off"})
    ask(port, "Window.WINDOW", {"OPEN": "On"})
    expect(port, {"Blinds.WINDOW.WINDOW": "On"})


BLINDS = """
from indiflask import App, Update

app = App("Blinds")
warmth = app.published("WARMTH", float)
window = app.published("WINDOW", bool)

@app.snoop("Thermostat", "TEMPERATURE")
def warm(update: Update) -> None:
    if not update.gone:
        warmth.publish(update["CELSIUS"])

@app.snoop("Window", "WINDOW")
async def open_window(update: Update) -> None:
    if not update.gone:
        window.publish(update["OPEN"])
"""


def test_a_driver_that_we_did_not_write_is_snooped(
    indiserver: StartServer, stdio_driver: StdioDriver, tmp_path: Path, settings: dict[str, str]
) -> None:
    tmp_path.joinpath("shadow.py").write_text(SHADOW)
    port = indiserver("indi_simulator_focus", stdio_driver(tmp_path / "shadow.py"), env=settings).port
    connect(port, "Focuser Simulator")
    ask(port, "Focuser Simulator.ABS_FOCUS_POSITION", {"FOCUS_ABSOLUTE_POSITION": 51000})
    expect(port, {"Shadow.POSITION.POSITION": 51000})
    ask(port, "Focuser Simulator.CONNECTION", {"DISCONNECT": "On"})
    expect(port, {"Shadow.POSITION._STATE": "Alert"})


SHADOW = """
from indiflask import App, Reply, State, Update

app = App("Shadow")
position = app.published("POSITION", float)

@app.snoop("Focuser Simulator", "ABS_FOCUS_POSITION")
def follow(update: Update) -> None:
    if update.gone:
        position.publish(Reply(state=State.ALERT))
    else:
        position.publish(update["FOCUS_ABSOLUTE_POSITION"])
"""


def test_the_roof_closes_when_the_simulated_weather_turns_bad(
    indiserver: StartServer, stdio_driver: StdioDriver, settings: dict[str, str]
) -> None:
    port = indiserver(stdio_driver(EXAMPLES / "roof.py"), "indi_simulator_weather", env=settings).port
    connect(port, "Weather Simulator")
    ask(port, "Roof.DOME_PARK", {"UNPARK": "On"})
    indi_eval(port, f'"Roof.DOME_PARK.UNPARK" == 1 && "Roof.DOME_PARK._STATE" == {BUSY}')
    ask(port, "Weather Simulator.WEATHER_CONTROL", {"Wind": 99})
    ask(port, "Weather Simulator.WEATHER_REFRESH", {"REFRESH": "On"})
    indi_eval(port, f'"Weather Simulator.WEATHER_STATUS._STATE" == {ALERT}')
    indi_eval(port, f'"Roof.DOME_PARK.PARK" == 1 && "Roof.DOME_PARK._STATE" == {OK}')


def test_the_name_that_indiserver_gives(tmp_path: Path, indiserver: StartServer, settings: dict[str, str]) -> None:
    """``start DRIVER -n NAME``, as KStars says it to indiserver's FIFO; INDIDEV is how the driver hears it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    server = indiserver("-f", fifo, env=settings)
    thermostat = stdio_driver(tmp_path, EXAMPLES / "thermostat.py")
    lamp = stdio_driver(tmp_path, EXAMPLES / "indi_lamp.py")
    fifo.write_text(f'start {thermostat} -n "Greenhouse"\n')
    expect(server.port, {"Greenhouse.TARGET.CELSIUS": 20, "Greenhouse Window.WINDOW.CLOSED": "On"})
    ask(server.port, "Greenhouse.TARGET", {"CELSIUS": 12})
    expect(server.port, {"Greenhouse.TARGET.CELSIUS": 12, "Greenhouse.TARGET._STATE": "Ok"})
    ask(server.port, "Greenhouse Window.WINDOW", {"OPEN": "On"})
    expect(server.port, {"Greenhouse.HEATER.HEATER": "Idle"})  # it snoops its own window, renamed as it is
    fifo.write_text(f'start {lamp} -n "Porch"\n')
    expect(server.port, {"Porch.LAMP.on": "Off"})
    before = children(server.process.pid)
    fifo.write_text(f'stop {lamp} -n "Porch"\n')
    wait_until_ended(before[1:])
    expect(server.port, {"Greenhouse.TARGET.CELSIUS": 12})


def test_a_driver_by_its_first_line_may_print(indiserver: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{INDIFLASK.parent}:{os.environ['PATH']}")
    server = indiserver(EXAMPLES / "indi_lamp.py")
    for wanted, printed in (("On", "lamp is on"), ("Off", "lamp is off"), ("On", "lamp is on")):
        ask(server.port, "Lamp.LAMP", {"on": wanted})
        expect(server.port, {"Lamp.LAMP.on": wanted, "Lamp.LAMP._STATE": "Ok"})
        server.wait_for_output(printed)
    [driver] = children(server.process.pid)
    assert b"indi_lamp.py" in Path(f"/proc/{driver}/cmdline").read_bytes()


def test_what_is_printed_is_no_part_of_the_protocol() -> None:
    with _piped("stdio", f"{EXAMPLES}/{LAMP.target}") as driver:
        new = '<newSwitchVector device="Lamp" name="LAMP"><oneSwitch name="on">On</oneSwitch></newSwitchVector>'
        said, logged = driver.communicate(new.encode(), timeout=20)
    assert b"<setSwitchVector" in said
    assert b"lamp is on" not in said
    assert b"lamp is on" in logged


@pytest.mark.parametrize("example", EVERY, ids=lambda example: example.target)
def test_a_driver_is_named_by_indidev_and_ends_at_the_end_of_its_input(
    example: Example, settings: dict[str, str]
) -> None:
    with _piped("stdio", f"{EXAMPLES}/{example.target}", env={**settings, "INDIDEV": "Upstairs"}) as driver:
        said, logged = driver.communicate(CONNECT_UPSTAIRS, timeout=20)
    assert (driver.returncode, b"Traceback" in logged) == (0, False)
    devices = {line.partition(b'device="')[2].partition(b'"')[0] for line in said.splitlines() if b"<def" in line}
    assert devices in ({b"Upstairs"}, {b"Upstairs", b"Upstairs Window"})
    own = next(vector for vector in example.first if not vector.endswith((".CONNECTION", ".DRIVER_INFO")))
    assert f'name="{own.partition(".")[2]}"'.encode() in said  # it is connected


CONNECT_UPSTAIRS = b"""<getProperties version="1.7"/>
<newSwitchVector device="Upstairs" name="CONNECTION"><oneSwitch name="CONNECT">On</oneSwitch></newSwitchVector>
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
def test_no_driver_outlives_its_server(
    ending: signal.Signals, indiserver: StartServer, stdio_driver: StdioDriver, settings: dict[str, str]
) -> None:
    targets = [EXAMPLES / name for name in ("camera.py", "mount.py", "roof.py", "led.py")]
    server = indiserver(*map(stdio_driver, targets), env=settings)
    connect(server.port, "Camera")
    connect(server.port, "Mount")
    ask(server.port, "Camera.CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 60})
    ask(server.port, "Mount.TELESCOPE_PARK", {"UNPARK": "On"})
    ask(server.port, "Roof.DOME_PARK", {"UNPARK": "On"})
    drivers = children(server.process.pid)
    assert len(drivers) == len(targets)
    server.process.send_signal(ending)
    server.wait()
    wait_until_ended(drivers)


def test_our_own_server_leaves_nothing_behind(indiflask_run: StartServer, settings: dict[str, str]) -> None:
    server: Program = indiflask_run(EXAMPLES / "camera.py", env=settings)
    connect(server.port, "Camera")
    ask(server.port, "Camera.CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 60})
    indi_eval(server.port, f'"Camera.CCD_EXPOSURE._STATE" == {BUSY}')
    started = children(server.process.pid)
    assert server.stop() == 0
    wait_until_ended(started)


def _piped(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [INDIFLASK, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
