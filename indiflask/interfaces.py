"""The kinds of instrument that clients know: names for the bits of DRIVER_INFO's DRIVER_INTERFACE.

Ekos, KStars and PHD2 decide by these bits what a device is (libindi's ``BaseDevice::DRIVER_INTERFACE``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

INTERFACES = {
    "general": 0,
    "telescope": 1 << 0,
    "ccd": 1 << 1,
    "guider": 1 << 2,
    "focuser": 1 << 3,
    "filter": 1 << 4,
    "dome": 1 << 5,
    "gps": 1 << 6,
    "weather": 1 << 7,
    "ao": 1 << 8,
    "dustcap": 1 << 9,
    "lightbox": 1 << 10,
    "detector": 1 << 11,
    "rotator": 1 << 12,
    "spectrograph": 1 << 13,
    "correlator": 1 << 14,
    "aux": 1 << 15,
    "output": 1 << 16,
    "input": 1 << 17,
    "power": 1 << 18,
    "imu": 1 << 19,
    "pac": 1 << 20,
}


def interface_bits(interface: str | Iterable[str]) -> int:
    """The number for DRIVER_INTERFACE: ``"focuser"`` is 8, ``"dustcap lightbox"`` 1536. Raises ValueError."""
    names = re.split(r"[\s,|+]+", interface.strip()) if isinstance(interface, str) else list(interface)
    bits = 0
    for name in filter(None, names):
        if name.lower() not in INTERFACES:
            raise ValueError(f"no interface is called {name!r}; there are: {', '.join(INTERFACES)}")
        bits |= INTERFACES[name.lower()]
    return bits
