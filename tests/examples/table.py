"""Every example with all its properties: what clients read at the start, and what comes of each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.examples.driving import Value


@dataclass(frozen=True)
class Request:
    """A request for some members of a vector, and what its clients must end up with."""

    vector: str
    asked: Mapping[str, str | float]
    state: str
    then: Mapping[str, Value]
    message: str = ""
    """Part of what a refusal says."""

    @property
    def device(self) -> str:
        return self.vector.partition(".")[0]

    @property
    def name(self) -> str:
        return self.vector.partition(".")[2]

    @property
    def outcome(self) -> dict[str, Value]:
        """By full names, as ``indi_getprop`` prints them."""
        members = {f"{self.vector}.{member}": value for member, value in self.then.items()}
        return {**members, f"{self.vector}._STATE": self.state}


@dataclass(frozen=True)
class Example:
    """A file in examples/, and what a client meets there. Vectors are named ``Device.PROPERTY``."""

    target: str
    first: Mapping[str, Mapping[str, Value]]
    requests: tuple[Request, ...]
    connects: str = ""
    """The device that a client must connect before it has all its properties."""

    @property
    def readings(self) -> dict[str, Value]:
        """By full names, members and states."""
        return {f"{vector}.{name}": value for vector, members in self.first.items() for name, value in members.items()}


def done(vector: str, asked: Mapping[str, str | float], state: str = "Ok", **then: Value) -> Request:
    """A request that holds; ``then`` is what is there afterwards beside what was asked, or instead of it."""
    return Request(vector, asked, state, {**asked, **then})


def refused(vector: str, asked: Mapping[str, str | float], message: str, **true: Value) -> Request:
    """A request that ends with Alert, those words, and the true values."""
    return Request(vector, asked, "Alert", true, message)


def on(device: str) -> dict[str, dict[str, Value]]:
    """CONNECTION of a device that is connected: from the start, or by a client."""
    return {
        f"{device}.CONNECTION": {"CONNECT": "On", "DISCONNECT": "Off", "_STATE": "Ok"},
        f"{device}.DRIVER_INFO": {"DRIVER_NAME": device, "_STATE": "Ok"},
    }


def saving(device: str) -> dict[str, dict[str, Value]]:
    """CONFIG_PROCESS of a device that saves something."""
    members = ("CONFIG_LOAD", "CONFIG_SAVE", "CONFIG_DEFAULT", "CONFIG_PURGE")
    return {f"{device}.CONFIG_PROCESS": {**dict.fromkeys(members, "Off"), "_STATE": "Ok"}}


LED = Example(
    "led.py",
    {**on("Garden"), "Garden.LED": {"on": "Off", "_STATE": "Idle"}},
    (
        done("Garden.LED", {"on": "On"}),
        done("Garden.LED", {"on": "Off"}),
    ),
)

LAMP = Example(
    "indi_lamp.py",
    {**on("Lamp"), "Lamp.LAMP": {"on": "Off", "_STATE": "Idle"}},
    (
        done("Lamp.LAMP", {"on": "On"}),
        done("Lamp.LAMP", {"on": "Off"}),
    ),
)

BUTTON = Example(
    "button.py",
    {
        **on("Doorbell"),
        "Doorbell.PRESSED": {"PRESSED": "Idle", "_STATE": "Idle"},
        "Doorbell.RINGS": {"COUNT": 0, "_STATE": "Idle"},
    },
    (),
)

THERMOSTAT = Example(
    "thermostat.py",
    {
        **on("Thermostat"),
        **on("Window"),
        **saving("Thermostat"),
        "Thermostat.TARGET": {"CELSIUS": 20, "_STATE": "Idle"},
        "Thermostat.TEMPERATURE": {"CELSIUS": (17, 21), "_STATE": "Ok"},
        "Thermostat.HEATER": {"HEATER": "Busy", "_STATE": "Ok"},
        "Window.WINDOW": {"OPEN": "Off", "CLOSED": "On", "_STATE": "Idle"},
    },
    (
        done("Thermostat.TARGET", {"CELSIUS": 25.5}),
        refused("Thermostat.TARGET", {"CELSIUS": 31}, "between 5 and 30", CELSIUS=25.5),
        refused("Thermostat.TARGET", {"CELSIUS": 4.9}, "between 5 and 30", CELSIUS=25.5),
        done("Window.WINDOW", {"OPEN": "On"}, CLOSED="Off"),
        done("Window.WINDOW", {"CLOSED": "On"}, OPEN="Off"),
    ),
)

ROOF = Example(
    "roof.py",
    {
        **on("Roof"),
        **saving("Roof"),
        "Roof.DOME_PARK": {"PARK": "On", "UNPARK": "Off", "_STATE": "Ok"},
        "Roof.DOME_MOTION": {"DOME_CW": "Off", "DOME_CCW": "Off", "_STATE": "Idle"},
        "Roof.DOME_ABORT_MOTION": {"ABORT": "Off", "_STATE": "Idle"},
        "Roof.ACTIVE_DEVICES": {"ACTIVE_WEATHER": "Weather Simulator", "_STATE": "Idle"},
    },
    (
        done("Roof.DOME_PARK", {"UNPARK": "On"}, state="Busy", PARK="Off"),
        done("Roof.DOME_ABORT_MOTION", {"ABORT": "On"}, ABORT="Off"),
        done("Roof.DOME_MOTION", {"DOME_CCW": "On"}, DOME_CW="Off"),
        done("Roof.ACTIVE_DEVICES", {"ACTIVE_WEATHER": "Weather 2, new"}),
    ),
)

WHEEL = Example(
    "wheel.py",
    {
        **on("Wheel"),
        **saving("Wheel"),
        "Wheel.FILTER_SLOT": {"FILTER_SLOT_VALUE": 1, "_STATE": "Ok"},
        "Wheel.FILTER_NAME": {**{f"FILTER_SLOT_NAME_{slot}": "" for slot in range(1, 6)}, "_STATE": "Idle"},
    },
    (
        done("Wheel.FILTER_SLOT", {"FILTER_SLOT_VALUE": 3}),
        refused("Wheel.FILTER_SLOT", {"FILTER_SLOT_VALUE": 6}, "between 1 and 5", FILTER_SLOT_VALUE=3),
        done("Wheel.FILTER_NAME", {"FILTER_SLOT_NAME_2": "H-beta 7 nm"}, FILTER_SLOT_NAME_1="", FILTER_SLOT_NAME_5=""),
    ),
    connects="Wheel",
)

CAMERA = Example(
    "camera.py",
    {
        **on("Camera"),
        **saving("Camera"),
        "Camera.CCD_INFO": {
            "CCD_MAX_X": 640,
            "CCD_MAX_Y": 480,
            "CCD_PIXEL_SIZE": 5.2,
            "CCD_PIXEL_SIZE_X": 5.2,
            "CCD_PIXEL_SIZE_Y": 5.2,
            "CCD_BITSPERPIXEL": 16,
            "_STATE": "Ok",
        },
        "Camera.CCD1": {},  # indi_getprop has no word for a BLOB that never came
        "Camera.CCD_EXPOSURE": {"CCD_EXPOSURE_VALUE": 1, "_STATE": "Idle"},
        "Camera.CCD_ABORT_EXPOSURE": {"ABORT": "Off", "_STATE": "Idle"},
        "Camera.CCD_FRAME": {"X": 0, "Y": 0, "WIDTH": 640, "HEIGHT": 480, "_STATE": "Ok"},
        "Camera.CCD_BINNING": {"HOR_BIN": 1, "VER_BIN": 1, "_STATE": "Idle"},
        "Camera.CCD_FRAME_TYPE": {
            "FRAME_LIGHT": "On",
            "FRAME_BIAS": "Off",
            "FRAME_DARK": "Off",
            "FRAME_FLAT": "Off",
            "_STATE": "Idle",
        },
        "Camera.CCD_GAIN": {"GAIN": 10, "_STATE": "Idle"},
        "Camera.CCD_TEMPERATURE": {"CCD_TEMPERATURE_VALUE": 12.5, "_STATE": "Ok"},
    },
    (
        done("Camera.CCD_FRAME", {"X": 100, "Y": 50, "WIDTH": 64, "HEIGHT": 48}),
        refused("Camera.CCD_FRAME", {"X": 0, "WIDTH": 641}, "WIDTH must be", X=100, Y=50, WIDTH=64, HEIGHT=48),
        done("Camera.CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.1}, CCD_EXPOSURE_VALUE=0),
        refused("Camera.CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.001}, "between 0.01 and 3600", CCD_EXPOSURE_VALUE=0),
        done("Camera.CCD_ABORT_EXPOSURE", {"ABORT": "On"}, ABORT="Off"),
        done("Camera.CCD_BINNING", {"HOR_BIN": 1, "VER_BIN": 1}),
        refused("Camera.CCD_BINNING", {"HOR_BIN": 2, "VER_BIN": 2}, "this sensor does not bin", HOR_BIN=1, VER_BIN=1),
        done("Camera.CCD_FRAME_TYPE", {"FRAME_DARK": "On"}, FRAME_LIGHT="Off"),
        done("Camera.CCD_GAIN", {"GAIN": 99.5}),
        refused("Camera.CCD_GAIN", {"GAIN": 500}, "GAIN must be between 0 and 100, not 500", GAIN=99.5),
    ),
    connects="Camera",
)

MOUNT = Example(
    "mount.py",
    {
        **on("Mount"),
        "Mount.ON_COORD_SET": {"TRACK": "On", "SLEW": "Off", "SYNC": "Off", "_STATE": "Idle"},
        "Mount.EQUATORIAL_EOD_COORD": {"RA": 0, "DEC": 90, "_STATE": "Idle"},
        "Mount.TELESCOPE_PARK": {"PARK": "On", "UNPARK": "Off", "_STATE": "Ok"},
        "Mount.TELESCOPE_MOTION_NS": {"MOTION_NORTH": "Off", "MOTION_SOUTH": "Off", "_STATE": "Idle"},
        "Mount.TELESCOPE_MOTION_WE": {"MOTION_WEST": "Off", "MOTION_EAST": "Off", "_STATE": "Idle"},
        "Mount.TELESCOPE_ABORT_MOTION": {"ABORT": "Off", "_STATE": "Idle"},
    },
    (
        refused("Mount.EQUATORIAL_EOD_COORD", {"RA": 1, "DEC": 80}, "the mount is parked", RA=0, DEC=90),
        done("Mount.TELESCOPE_PARK", {"UNPARK": "On"}, PARK="Off"),
        done("Mount.EQUATORIAL_EOD_COORD", {"RA": "0:30:00", "DEC": "79:30"}, RA=0.5, DEC=79.5),
        refused("Mount.EQUATORIAL_EOD_COORD", {"RA": 24.5, "DEC": 80}, "between 0 and 24", RA=0.5, DEC=79.5),
        done("Mount.ON_COORD_SET", {"SLEW": "On"}, TRACK="Off", SYNC="Off"),
        done("Mount.EQUATORIAL_EOD_COORD", {"RA": 1, "DEC": 80}, state="Idle"),
        done("Mount.TELESCOPE_MOTION_NS", {"MOTION_NORTH": "On"}, state="Busy", MOTION_SOUTH="Off"),
        done("Mount.TELESCOPE_MOTION_NS", {"MOTION_NORTH": "Off"}, MOTION_SOUTH="Off"),
        done("Mount.TELESCOPE_MOTION_WE", {"MOTION_WEST": "On"}, state="Busy", MOTION_EAST="Off"),
        done("Mount.TELESCOPE_MOTION_WE", {"MOTION_WEST": "Off"}, MOTION_EAST="Off"),
        done("Mount.TELESCOPE_ABORT_MOTION", {"ABORT": "On"}, ABORT="Off"),
        done("Mount.TELESCOPE_PARK", {"PARK": "On"}, UNPARK="Off"),
    ),
    connects="Mount",
)

SUPPLY = Example(
    "supply.py:supply",
    {
        **on("Supply"),
        **saving("Supply"),
        "Supply.DEVICE_PORT": {"PORT": "/dev/ttyUSB0", "_STATE": "Idle"},
        **{f"Supply.CH{channel}": {"VOLTS": 0, "_STATE": "Idle"} for channel in range(1, 9)},
        **{f"Supply.CH{channel}_MEASURED": {"VOLTS": 0, "_STATE": "Ok"} for channel in range(1, 9)},
    },
    (
        done("Supply.DEVICE_PORT", {"PORT": "/dev/ttyACM3"}),
        *(done(f"Supply.CH{channel}", {"VOLTS": channel + 0.25}) for channel in range(1, 9)),
        refused("Supply.CH3", {"VOLTS": 30.01}, "between 0 and 30", VOLTS=3.25),
        refused("Supply.CH3", {"VOLTS": -1}, "between 0 and 30", VOLTS=3.25),
    ),
    connects="Supply",
)

EVERY = (LED, LAMP, BUTTON, THERMOSTAT, ROOF, WHEEL, CAMERA, MOUNT, SUPPLY)
