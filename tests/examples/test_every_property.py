"""Each example for real, under our server and under libindi's: all its properties, by libindi's tools."""

from __future__ import annotations

import pytest

from tests.examples.conftest import Serve
from tests.examples.driving import ask, connect, expect
from tests.examples.table import EVERY, ROOF, SUPPLY, THERMOSTAT, Example
from tests.peers import EXAMPLES


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


def test_what_was_set_is_measured(serve: Serve) -> None:
    port = serve(SUPPLY.target).port
    connect(port, "Supply")
    ask(port, "Supply.CH8", {"VOLTS": 12.5})
    expect(port, {"Supply.CH8_MEASURED.VOLTS": 12.49, "Supply.CH7_MEASURED.VOLTS": 0})


def test_texts_in_any_alphabet(serve: Serve) -> None:
    port = serve(ROOF.target).port
    for text in ("Météo ☁ 雲", "'quoted'"):
        ask(port, "Roof.ACTIVE_DEVICES", {"ACTIVE_WEATHER": text})
        expect(port, {"Roof.ACTIVE_DEVICES.ACTIVE_WEATHER": text, "Roof.ACTIVE_DEVICES._STATE": "Ok"})
