"""The properties that every device has by itself: CONNECTION, DRIVER_INFO and CONFIG_PROCESS.

Names, order and rules are libindi's; Ekos and PHD2 depend on them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from indiflask.declare import declare
from indiflask.options import Options
from indiflask.property import Property
from indiflask.values import State

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner

ConfigChoice = Literal["CONFIG_LOAD", "CONFIG_SAVE", "CONFIG_DEFAULT", "CONFIG_PURGE"]


def connection(runner: DeviceRunner) -> Property[Any, Any]:
    """CONNECTION, which KStars wants first, and takes for connected when it is Ok with CONNECT On."""

    async def switch(choice: Literal["CONNECT", "DISCONNECT"] = "DISCONNECT") -> Any:
        """Connection"""
        return await runner.session.switch(choice)

    return _made(runner, "switch", switch, "CONNECTION", {"when": "always", "overlap": "queue"})


def driver_info(runner: DeviceRunner) -> Property[Any, Any]:
    """DRIVER_INFO, whose interface bits tell Ekos what the device is."""
    members = {
        "DRIVER_NAME": runner.device.name,
        "DRIVER_EXEC": Path(sys.argv[0]).name or "indiflask",
        "DRIVER_VERSION": runner.device.version,
        "DRIVER_INTERFACE": str(runner.device.interface),
    }

    def info() -> dict[str, str]:
        """Driver information"""
        return members

    options: Options = {"when": "always", "members": list(members), "group": "General Info"}
    prop = _made(runner, "text", info, "DRIVER_INFO", options)
    prop.values = members
    return prop


def config_process(runner: DeviceRunner) -> Property[Any, Any]:
    """CONFIG_PROCESS; Ok from the start, or Ekos would have the settings loaded once more."""

    async def process(choice: ConfigChoice) -> None:
        """Configuration"""
        await runner.settings.process(choice)

    prop = _made(runner, "button", process, "CONFIG_PROCESS", {"group": "Options"})
    prop.state = State.OK
    return prop


def _made(runner: DeviceRunner, word: Any, function: Any, name: str, options: Options) -> Property[Any, Any]:
    return Property(declare(word, function, name, options), f"{runner.name}.{name}")
