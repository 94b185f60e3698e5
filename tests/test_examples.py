"""Each example, served by us and by libindi's server, driven by libindi's tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from astropy.io import fits

from tests.conftest import StartServer
from tests.peers import EXAMPLES, INDIFLASK, indi_eval, indi_getprop, indi_setprop

FILES = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name != "simulated.py")
OK, BUSY, ALERT = 1, 2, 3

Serve = Callable[[str], int]
"""Serves an example; the port."""


@pytest.fixture(params=["indiflask run", "indiserver"])
def serve(
    request: pytest.FixtureRequest,
    indiflask_run: StartServer,
    indiserver: StartServer,
    stdio_driver: Callable[[str | Path], Path],
    tmp_path: Path,
) -> Serve:
    state = {"STATE_DIRECTORY": str(tmp_path / "state")}

    def start(target: str) -> int:
        path = f"{EXAMPLES}/{target}"
        if request.param == "indiflask run":
            return indiflask_run(path, env=state).port
        return indiserver(stdio_driver(path), env=state).port

    return start


def connect(port: int, device: str) -> None:
    indi_eval(port, f'"{device}.CONNECTION.DISCONNECT" == 1')
    indi_setprop(port, f"{device}.CONNECTION.CONNECT=On")
    indi_eval(port, f'"{device}.CONNECTION.CONNECT" == 1 && "{device}.CONNECTION._STATE" == {OK}')


def test_every_example_is_driven_here() -> None:
    source = Path(__file__).read_text()
    assert [name for name in FILES if f'"{name}' not in source] == []


def test_led(serve: Serve) -> None:
    port = serve("led.py")
    indi_setprop(port, "Garden.LED.on=On")
    indi_eval(port, f'"Garden.LED.on" == 1 && "Garden.LED._STATE" == {OK}')
    indi_setprop(port, "Garden.LED.on=Off")
    indi_eval(port, '"Garden.LED.on" == 0')


def test_lamp_by_its_first_line(indiserver: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{INDIFLASK.parent}:/usr/bin:/bin")
    server = indiserver(EXAMPLES / "indi_lamp.py")
    indi_setprop(server.port, "Lamp.LAMP.on=On")
    indi_eval(server.port, '"Lamp.LAMP.on" == 1')
    server.wait_for_output("lamp is on")


PRESSER = """
import threading
from button import app, bell

app.every(0.2)(lambda: threading.Thread(target=press).start())


def press() -> None:
    bell.pin.drive_low()
    bell.pin.drive_high()
"""


def test_button_is_pressed_in_a_thread_of_its_own(indiflask_run: StartServer, tmp_path: Path) -> None:
    presser = tmp_path / "presser.py"
    presser.write_text(PRESSER)
    environment = {"PYTHONPATH": str(EXAMPLES), "GPIOZERO_PIN_FACTORY": "mock"}
    port = indiflask_run(presser, env=environment).port
    indi_eval(port, f'"Doorbell.RINGS.COUNT" > 2 && "Doorbell.PRESSED.PRESSED" == {OK}')


def test_button_is_there(serve: Serve) -> None:
    port = serve("button.py")
    assert indi_getprop(port, "Doorbell.RINGS.COUNT") == {"Doorbell.RINGS.COUNT": "0"}
    assert indi_getprop(port, "Doorbell.PRESSED.PRESSED")


def test_thermostat_heats_but_not_out_of_the_window(serve: Serve) -> None:
    port = serve("thermostat.py")
    prefix = "Thermostat"
    indi_setprop(port, f"{prefix}.TARGET.CELSIUS=25")
    indi_eval(port, f'"{prefix}.HEATER.HEATER" == {BUSY}')
    indi_setprop(port, "Window.WINDOW.OPEN=On")
    indi_eval(port, f'"{prefix}.HEATER.HEATER" == 0')
    indi_setprop(port, "Window.WINDOW.CLOSED=On")
    indi_eval(port, f'"{prefix}.HEATER.HEATER" == {BUSY}')


def test_roof_opens_can_be_stopped_and_closes(serve: Serve) -> None:
    port = serve("roof.py")
    indi_eval(port, f'"Roof.DOME_PARK.PARK" == 1 && "Roof.DOME_PARK._STATE" == {OK}')
    indi_setprop(port, "Roof.DOME_PARK.UNPARK=On")
    indi_eval(port, f'"Roof.DOME_PARK._STATE" == {BUSY}')
    indi_setprop(port, "Roof.DOME_ABORT_MOTION.ABORT=On")
    indi_eval(port, '"Roof.DOME_PARK._STATE" == 0')
    indi_setprop(port, "Roof.DOME_MOTION.DOME_CCW=On")
    indi_eval(port, f'"Roof.DOME_PARK.PARK" == 1 && "Roof.DOME_PARK._STATE" == {OK}')


def test_roof_closes_when_the_weather_of_a_driver_that_we_did_not_write_turns_bad(
    indiserver: StartServer, stdio_driver: Callable[[str | Path], Path], tmp_path: Path
) -> None:
    roof = stdio_driver(EXAMPLES / "roof.py")
    port = indiserver(
        roof, "indi_simulator_weather", env={"STATE_DIRECTORY": str(tmp_path), "HOME": str(tmp_path)}
    ).port
    connect(port, "Weather Simulator")
    indi_setprop(port, "Roof.DOME_PARK.UNPARK=On")
    indi_eval(port, f'"Roof.DOME_PARK.UNPARK" == 1 && "Roof.DOME_PARK._STATE" == {OK}')
    indi_setprop(port, "Weather Simulator.WEATHER_CONTROL.Wind=99")
    indi_setprop(port, "Weather Simulator.WEATHER_REFRESH.REFRESH=On")
    indi_eval(port, f'"Weather Simulator.WEATHER_STATUS._STATE" == {ALERT}')
    indi_eval(port, f'"Roof.DOME_PARK.PARK" == 1 && "Roof.DOME_PARK._STATE" == {OK}')


def test_two_drivers_of_one_server_snoop_each_other(
    indiserver: StartServer, stdio_driver: Callable[[str | Path], Path], tmp_path: Path
) -> None:
    for name, other in (("Left", "Right"), ("Right", "Left")):
        tmp_path.joinpath(f"{name}.py").write_text(ECHO.format(name=name, other=other))
    port = indiserver(stdio_driver(tmp_path / "Left.py"), stdio_driver(tmp_path / "Right.py")).port
    indi_setprop(port, "Left.SAID.SAID=3", "Right.SAID.SAID=4")
    indi_eval(port, '"Left.HEARD.HEARD" == 4 && "Right.HEARD.HEARD" == 3')


ECHO = """
from indiflask import App, Update

app = App("{name}")
heard = app.published("HEARD", float)


@app.number("SAID")
def said(SAID: float) -> None: ...


@app.snoop("{other}", "SAID")
def hear(update: Update) -> None:
    if "SAID" in update:
        heard.publish(update["SAID"])
"""


def test_wheel_turns_and_keeps_its_names(serve: Serve) -> None:
    port = serve("wheel.py")
    connect(port, "Wheel")
    names = indi_getprop(port, "Wheel.FILTER_NAME.FILTER_SLOT_NAME_5", "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE")
    assert names["Wheel.FILTER_SLOT.FILTER_SLOT_VALUE"] == "1"
    indi_setprop(port, "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE=4")
    indi_eval(port, f'"Wheel.FILTER_SLOT.FILTER_SLOT_VALUE" == 4 && "Wheel.FILTER_SLOT._STATE" == {OK}')
    indi_setprop(port, "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE=6")
    indi_eval(port, f'"Wheel.FILTER_SLOT._STATE" == {ALERT} && "Wheel.FILTER_SLOT.FILTER_SLOT_VALUE" == 4')
    indi_setprop(port, "Wheel.FILTER_NAME.FILTER_SLOT_NAME_1=Luminance")
    indi_eval(port, f'"Wheel.FILTER_NAME._STATE" == {OK}')
    indi_setprop(port, "Wheel.CONNECTION.DISCONNECT=On")
    connect(port, "Wheel")
    name = "Wheel.FILTER_NAME.FILTER_SLOT_NAME_1"
    assert indi_getprop(port, name) == {name: "Luminance"}


def test_camera_sends_a_picture_that_astropy_reads(serve: Serve, tmp_path: Path) -> None:
    port = serve("camera.py")
    connect(port, "Camera")
    indi_setprop(port, "Camera.CCD_FRAME.X;Y;WIDTH;HEIGHT=10;20;320;240")
    indi_eval(port, f'"Camera.CCD_FRAME._STATE" == {OK}')
    indi_setprop(port, "Camera.CCD_EXPOSURE.CCD_EXPOSURE_VALUE=0.5")
    indi_getprop(port, "Camera.CCD1.CCD1", cwd=tmp_path)
    [path] = tmp_path.glob("*.fits")
    with fits.open(path) as file:
        file.verify("exception")
        assert file[0].data.shape == (240, 320)
        assert file[0].header["EXPTIME"] == 0.5
        assert file[0].data.max() > file[0].data.min() >= 200


def test_camera_can_be_aborted(serve: Serve) -> None:
    port = serve("camera.py")
    connect(port, "Camera")
    indi_setprop(port, "Camera.CCD_EXPOSURE.CCD_EXPOSURE_VALUE=60")
    indi_eval(port, f'"Camera.CCD_EXPOSURE._STATE" == {BUSY} && "Camera.CCD_EXPOSURE.CCD_EXPOSURE_VALUE" < 59.9')
    indi_setprop(port, "Camera.CCD_ABORT_EXPOSURE.ABORT=On")
    indi_eval(port, '"Camera.CCD_EXPOSURE._STATE" == 0')


def test_mount_goes_where_it_is_sent_and_stops(serve: Serve) -> None:
    port = serve("mount.py")
    connect(port, "Mount")
    indi_setprop(port, "Mount.TELESCOPE_PARK.UNPARK=On")
    indi_eval(port, f'"Mount.TELESCOPE_PARK.UNPARK" == 1 && "Mount.TELESCOPE_PARK._STATE" == {OK}')
    indi_setprop(port, "Mount.EQUATORIAL_EOD_COORD.RA;DEC=6:30:00;-10:30:00")
    indi_eval(port, f'"Mount.EQUATORIAL_EOD_COORD._STATE" == {BUSY}')
    indi_setprop(port, "Mount.TELESCOPE_ABORT_MOTION.ABORT=On")
    indi_eval(port, '"Mount.EQUATORIAL_EOD_COORD._STATE" == 0 && "Mount.EQUATORIAL_EOD_COORD.DEC" > -10.5')
    indi_setprop(port, "Mount.ON_COORD_SET.SYNC=On")
    indi_setprop(port, "Mount.EQUATORIAL_EOD_COORD.RA;DEC=6:30:00;-10:30:00")
    there = '"Mount.EQUATORIAL_EOD_COORD.RA" == 6.5 && "Mount.EQUATORIAL_EOD_COORD.DEC" == -10.5'
    indi_eval(port, f'{there} && "Mount.EQUATORIAL_EOD_COORD._STATE" < {BUSY}')


def test_mount_moves_while_a_key_is_held(serve: Serve) -> None:
    port = serve("mount.py")
    connect(port, "Mount")
    indi_setprop(port, "Mount.TELESCOPE_MOTION_NS.MOTION_SOUTH=On")
    indi_eval(port, f'"Mount.TELESCOPE_MOTION_NS._STATE" == {BUSY}')
    indi_setprop(port, "Mount.TELESCOPE_MOTION_NS.MOTION_SOUTH=Off")
    indi_eval(port, f'"Mount.TELESCOPE_MOTION_NS._STATE" == {OK} && "Mount.TELESCOPE_MOTION_NS.MOTION_SOUTH" == 0')


def test_supply_of_eight_channels(serve: Serve) -> None:
    port = serve("supply.py:supply")
    connect(port, "Supply")
    indi_setprop(port, "Supply.CH8.VOLTS=12.5")
    indi_eval(port, f'"Supply.CH8.VOLTS" == 12.5 && "Supply.CH8._STATE" == {OK}')
    indi_eval(port, '"Supply.CH8_MEASURED.VOLTS" > 12')  # each operand once, or indi_eval waits for ever
    assert indi_getprop(port, "Supply.CH7.VOLTS") == {"Supply.CH7.VOLTS": "0"}
