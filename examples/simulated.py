"""Hardware for the examples that is not there: each class stands for a vendor's library, and behaves in time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class Axis:
    """Something that moves at a speed from where it is to where it was sent."""

    def __init__(self, position: float, speed: float) -> None:
        self._from = self._to = position
        self._speed = speed
        self._started = time.monotonic()

    @property
    def position(self) -> float:
        """Where it is now."""
        way = self._speed * (time.monotonic() - self._started)
        distance = self._to - self._from
        return self._to if way >= abs(distance) else self._from + math.copysign(way, distance)

    @property
    def moving(self) -> bool:
        """Whether it is still under way."""
        return self.position != self._to

    def go(self, to: float) -> None:
        """Set off; returns at once."""
        self._from, self._to, self._started = self.position, to, time.monotonic()

    def halt(self) -> None:
        """Stay where it is."""
        self.go(self.position)


class Room:
    """A room with a heater; the temperature is that of three minutes in a second."""

    def __init__(self) -> None:
        self.heating = False
        self.window_open = False
        self._temperature = 18.0
        self._then = time.monotonic()

    @property
    def temperature(self) -> float:
        """Degrees Celsius."""
        now = time.monotonic()
        outside, warmth = 8.0, 30.0 if self.heating else 0.0
        loss = 0.02 if self.window_open else 0.005
        self._temperature += (now - self._then) * (warmth * 0.005 - (self._temperature - outside) * loss)
        self._then = now
        return self._temperature


class RoofMotor:
    """A roof that runs 4 m at 2 m/s, with a limit switch at either end. 0 is closed."""

    def __init__(self) -> None:
        self._axis = Axis(0, 2)

    @property
    def is_closed(self) -> bool:
        """The limit switch at the closed end."""
        return self._axis.position == 0

    @property
    def is_open(self) -> bool:
        """The limit switch at the open end."""
        return self._axis.position == 4

    def open(self) -> None:
        """Start the motor."""
        self._axis.go(4)

    def close(self) -> None:
        """Start the motor the other way."""
        self._axis.go(0)

    def stop(self) -> None:
        """Stop the motor."""
        self._axis.halt()


class FilterWheel:
    """A wheel with a slot each quarter of a second."""

    slots = 5

    def __init__(self) -> None:
        self.position = 1

    def goto(self, slot: int) -> None:
        """Turn; returns when it has arrived, as many vendors' calls do."""
        time.sleep(0.25 * abs(slot - self.position))
        self.position = slot

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[FilterWheel]:
        """Open and close the wheel."""
        yield cls()


class CameraHead:
    """A sensor of 640 × 480 with stars."""

    width, height, pixel_size = 640, 480, 5.2

    def __init__(self) -> None:
        self.gain = 10.0
        self.region = (0, 0, self.width, self.height)
        self.temperature = 12.5
        self.exposing = False

    def start(self) -> None:
        """Open the shutter."""
        self.exposing = True

    def stop(self) -> None:
        """Close the shutter."""
        self.exposing = False

    def read_out(self, seconds: float) -> bytes:
        """The region as 16-bit numbers, most significant byte first: a gradient and nine stars."""
        left, top, width, height = (int(number) for number in self.region)
        rows = bytearray()
        for y in range(top, top + height):
            row = [min(65535, int(200 + seconds * (x + y) / 10)) for x in range(left, left + width)]
            for x in range(left, left + width):
                if x % 213 == 106 and y % 160 == 80:
                    row[x - left] = min(65535, int(seconds * self.gain * 1000) + 1000)
            rows += b"".join(number.to_bytes(2, "big") for number in row)
        return bytes(rows)

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[CameraHead]:
        """Open and close the camera."""
        yield cls()


class MountAxes:
    """Two axes of 3 hours and 45 degrees a second."""

    def __init__(self) -> None:
        self._ra, self._dec = Axis(0, 3), Axis(90, 45)
        self.tracking = False
        self.parked = True

    async def goto(self, ra: float, dec: float) -> None:
        """Set off; ``slewing`` tells when it has arrived."""
        await anyio.sleep(0.01)  # a serial line takes its time
        self._ra.go(ra)
        self._dec.go(dec)

    async def slewing(self) -> bool:
        """Whether an axis moves."""
        await anyio.sleep(0.01)
        return self._ra.moving or self._dec.moving

    async def where(self) -> tuple[float, float]:
        """Hours and degrees."""
        await anyio.sleep(0.01)
        return self._ra.position, self._dec.position

    async def sync(self, ra: float, dec: float) -> None:
        """Take this for where it points."""
        await anyio.sleep(0.01)
        self._ra, self._dec = Axis(ra, 3), Axis(dec, 45)

    async def stop(self) -> None:
        """Halt both axes."""
        await anyio.sleep(0.01)
        self.halt()

    def halt(self) -> None:
        """The same, for where nothing can be awaited."""
        self._ra.halt()
        self._dec.halt()

    def nudge(self, ra: float, dec: float) -> None:
        """Move until halted."""
        self._ra.go(self._ra.position + ra)
        self._dec.go(self._dec.position + dec)


class Supply:
    """A bench supply with eight channels on a serial line."""

    def __init__(self, port: str) -> None:
        if not port.startswith("/dev/"):
            raise OSError(f"could not open port {port!r}: no such device")
        self._volts = dict.fromkeys(range(1, 9), 0.0)

    def write(self, command: bytes) -> None:
        """``VSET3:1.50``."""
        channel, volts = command.decode().removeprefix("VSET").split(":")
        self._volts[int(channel)] = float(volts)

    def query(self, command: bytes) -> bytes:
        """``VOUT3?``: what is measured there, 10 mV below what was set."""
        volts = self._volts[int(command.decode().removeprefix("VOUT").rstrip("?"))]
        return b"%.2f" % max(0, volts - 0.01)

    @classmethod
    @contextmanager
    def opened(cls, port: str) -> Iterator[Supply]:
        """Open and close the line."""
        yield cls(port)
