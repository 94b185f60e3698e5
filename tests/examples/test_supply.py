"""The supply's settings: its port and its voltages outlive it, and a wrong port is told."""

from __future__ import annotations

import asyncio

from tests.examples.conftest import Serve
from tests.examples.driving import ask, connect, expect
from tests.examples.session import session
from tests.examples.table import SUPPLY


def test_port_and_voltages_outlive_the_server(serve: Serve) -> None:
    first = serve(SUPPLY.target)
    ask(first.port, "Supply.DEVICE_PORT", {"PORT": "/dev/ttyACM7"})
    expect(first.port, {"Supply.DEVICE_PORT.PORT": "/dev/ttyACM7", "Supply.DEVICE_PORT._STATE": "Ok"})
    connect(first.port, "Supply")
    ask(first.port, "Supply.CH2", {"VOLTS": 12.5})
    ask(first.port, "Supply.CH5", {"VOLTS": 3.3})
    expect(first.port, {"Supply.CH2._STATE": "Ok", "Supply.CH5._STATE": "Ok"})
    ask(first.port, "Supply.CH5", {"VOLTS": 31})
    expect(first.port, {"Supply.CH5._STATE": "Alert"})
    first.stop()

    second = serve(SUPPLY.target)
    expect(second.port, {"Supply.DEVICE_PORT.PORT": "/dev/ttyACM7"})
    connect(second.port, "Supply")
    expect(second.port, {"Supply.CH2.VOLTS": 12.5, "Supply.CH5.VOLTS": 3.3, "Supply.CH1.VOLTS": 0})
    # It is not only shown: the supply has got it.
    expect(second.port, {"Supply.CH2_MEASURED.VOLTS": 12.49, "Supply.CH5_MEASURED.VOLTS": 3.29})


def test_voltages_are_given_again_at_each_connect(serve_ourselves: Serve) -> None:
    port = serve_ourselves(SUPPLY.target).port
    connect(port, "Supply")
    ask(port, "Supply.CH8", {"VOLTS": 5})
    expect(port, {"Supply.CH8._STATE": "Ok"})
    ask(port, "Supply.CONNECTION", {"DISCONNECT": "On"})
    connect(port, "Supply")
    expect(port, {"Supply.CH8.VOLTS": 5, "Supply.CH8_MEASURED.VOLTS": 4.99})


def test_purged_voltages_are_gone(serve_ourselves: Serve) -> None:
    first = serve_ourselves(SUPPLY.target)
    connect(first.port, "Supply")
    ask(first.port, "Supply.CH8", {"VOLTS": 5})
    expect(first.port, {"Supply.CH8._STATE": "Ok"})
    ask(first.port, "Supply.CONFIG_PROCESS", {"CONFIG_PURGE": "On"})
    expect(first.port, {"Supply.CONFIG_PROCESS._STATE": "Ok", "Supply.CONFIG_PROCESS.CONFIG_PURGE": "Off"})
    first.stop()

    second = serve_ourselves(SUPPLY.target)
    connect(second.port, "Supply")
    expect(second.port, {"Supply.CH8.VOLTS": 0, "Supply.CH8_MEASURED.VOLTS": 0})


def test_an_unknown_port_is_an_alert_that_says_why(serve: Serve) -> None:
    async def drive(port: int) -> None:
        async with session(port) as client:
            await client.defined("Supply.CONNECTION", "Supply.DEVICE_PORT")
            await client.send("Supply.DEVICE_PORT", {"PORT": "COM3"})
            await client.says({"Supply.DEVICE_PORT._STATE": "Ok", "Supply.DEVICE_PORT.PORT": "COM3"})
            await client.send("Supply.CONNECTION", {"CONNECT": "On"})
            await client.says({"Supply.CONNECTION._STATE": "Alert", "Supply.CONNECTION.DISCONNECT": "On"})
            assert any("could not open port 'COM3': no such device" in text for text in client.texts), client.texts
            await client.send("Supply.DEVICE_PORT", {"PORT": "/dev/ttyUSB1"})
            await client.says({"Supply.DEVICE_PORT._STATE": "Ok"})
            await client.connect("Supply")
            await client.defined("Supply.CH1")

    asyncio.run(drive(serve(SUPPLY.target).port))
