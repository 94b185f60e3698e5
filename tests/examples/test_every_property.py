"""Each example for real, under our server and under libindi's: all its properties, by libindi's tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.examples.conftest import Serve
from tests.examples.driving import OK, ask, connect, expect
from tests.examples.table import EVERY, ROOF, SUPPLY, THERMOSTAT, Example
from tests.peers import EXAMPLES, indi_eval


def test_no_example_is_left_out() -> None:
    files = {path.name for path in EXAMPLES.glob("*.py")} - {"simulated.py"}
    assert {example.target.partition(":")[0] for example in EVERY} == files


@pytest.mark.parametrize("example", EVERY, ids=lambda example: example.target)
def test_all_is_read_and_each_request_answered(example: Example, serve: Serve) -> None:
    port = serve(example.target).port
    if example.connects:
        connect(port, example.connects)
    expect(port, example.readings)
    for request in example.requests:
        ask(port, request.vector, request.asked)
        expect(port, request.outcome)


def test_an_open_window_turns_the_heater_off(serve: Serve) -> None:
    port = serve(THERMOSTAT.target).port
    expect(port, {"Thermostat.HEATER.HEATER": "Busy"})
    ask(port, "Window.WINDOW", {"OPEN": "On"})
    expect(port, {"Thermostat.HEATER.HEATER": "Idle"})
    ask(port, "Window.WINDOW", {"CLOSED": "On"})
    expect(port, {"Thermostat.HEATER.HEATER": "Busy"})


def test_what_was_set_is_measured(serve_ourselves: Serve) -> None:
    port = serve_ourselves(SUPPLY.target).port
    connect(port, "Supply")
    ask(port, "Supply.CH8", {"VOLTS": 12.5})
    expect(port, {"Supply.CH8_MEASURED.VOLTS": 12.49, "Supply.CH7_MEASURED.VOLTS": 0})


def test_texts_in_any_alphabet(serve: Serve) -> None:
    port = serve(ROOF.target).port
    for text in ("Météo ☁ 雲", "'quoted'"):
        ask(port, "Roof.ACTIVE_DEVICES", {"ACTIVE_WEATHER": text})
        expect(port, {"Roof.ACTIVE_DEVICES.ACTIVE_WEATHER": text, "Roof.ACTIVE_DEVICES._STATE": "Ok"})


PRESSER = """
import threading
from button import app, bell

def press() -> None:
    bell.pin.drive_low()
    bell.pin.drive_high()

app.every(0.2)(lambda: threading.Thread(target=press).start())
"""


def test_the_button_is_pressed_in_a_thread_of_its_own(indiflask_run: StartServer, tmp_path: Path) -> None:
    presser = tmp_path / "presser.py"
    presser.write_text(PRESSER)
    port = indiflask_run(presser, env={"PYTHONPATH": str(EXAMPLES), "GPIOZERO_PIN_FACTORY": "mock"}).port
    indi_eval(port, f'"Doorbell.RINGS.COUNT" > 2 && "Doorbell.PRESSED.PRESSED" == {OK}')
