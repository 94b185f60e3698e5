"""``App``: a device of its own, and the others that are served with it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterable

from indiflask.device import Device
from indiflask.errors import DeclarationError
from indiflask.gpio import mock_pins_without_gpio

Lifespan = Callable[[], AsyncIterator[None]]


class App(Device):
    """An INDI driver: ``app = App("Garden")``, and decorators over functions.

    It is a device itself; ``device`` and ``include`` add more. It is served by ``run()``, by
    ``indiflask run module:app``, or as a driver under any INDI server by ``indiflask stdio module:app``.
    """

    def __init__(self, name: str, *, interface: str | Iterable[str] = "", version: str = "1.0") -> None:
        super().__init__(name, interface=interface, version=version)
        self.devices: list[Device] = []
        self.lifespans: list[Lifespan] = []
        if "gpiozero" in sys.modules:  # the script is about to make its pins
            mock_pins_without_gpio()

    def device(self, name: str, *, interface: str | Iterable[str] = "", version: str = "1.0") -> Device:
        """Another device of this app."""
        device = Device(name, interface=interface, version=version)
        self.include(device)
        return device

    def include(self, device: Device) -> None:
        """Serve a device, or another app with its devices, that was declared elsewhere. Raises ValueError."""
        self._setup(f"device {device.name}")
        added = device.served_devices() if isinstance(device, App) else [device]
        for one in added:
            if one.name in {there.name for there in (self, *self.devices)}:
                raise ValueError(f"{self.name} has a device {one.name!r} already; a name is a device's alone")
            self.devices.append(one)
        if isinstance(device, App):
            self.lifespans += device.lifespans

    def served_devices(self) -> list[Device]:
        """The app's own device, unless there is nothing on it but others beside it; and those."""
        own = self.properties or self.hardware.function or self.snoops or self.backgrounds or not self.devices
        return [self, *self.devices] if own else list(self.devices)

    def lifespan(self, function: Lifespan) -> Lifespan:
        """An async generator that runs around everything: what is before its ``yield`` at the start, what is
        behind it at the end.
        """
        self._setup("a lifespan")
        if not inspect.isasyncgenfunction(function):
            where = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
            raise DeclarationError(
                where,
                "a lifespan is an async generator",
                f"def {function.__name__}()",
                f"async def {function.__name__}() -> AsyncIterator[None]: ... yield ...",
            )
        self.lifespans.append(function)
        return function

    def run(self, *, host: str = "127.0.0.1", port: int = 7624, stdio: bool = False, log_level: str = "info") -> None:
        """Serve on a TCP port until Ctrl-C or SIGTERM, or with ``stdio=True`` on stdin and stdout as a driver of
        another INDI server.

        While ``indiflask run`` or ``indiflask stdio`` imports the module, this does nothing. Ends the process
        with a clear line and exit code 1 when the port cannot be had.
        """
        from indiflask.serving import run_app  # the event loop is loaded only when something runs

        run_app(self, host=host, port=port, stdio=stdio, log_level=log_level)
