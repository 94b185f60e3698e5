"""indiflask: an INDI instrument out of a ten-line Python script.

A function with a decorator is a control that every INDI client can see and use: KStars/Ekos, PHD2, a terminal.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from indiflask.app import App
    from indiflask.connection import Connection
    from indiflask.device import Device
    from indiflask.errors import (
        Cancelled,
        DeclarationError,
        IndiError,
        NotConnected,
        ProtocolError,
        Reject,
        SetupLocked,
        TargetError,
    )
    from indiflask.property import Property
    from indiflask.protocol.messages import Permission, Rule, State
    from indiflask.values import Blob, Member, Number, Reply, Update

__all__ = [
    "App",
    "Blob",
    "Cancelled",
    "Connection",
    "DeclarationError",
    "Device",
    "IndiError",
    "Member",
    "NotConnected",
    "Number",
    "Permission",
    "Property",
    "ProtocolError",
    "Reject",
    "Reply",
    "Rule",
    "SetupLocked",
    "State",
    "TargetError",
    "Update",
]

_MODULES: Final = {
    "App": "app",
    "Blob": "values",
    "Cancelled": "errors",
    "Connection": "connection",
    "DeclarationError": "errors",
    "Device": "device",
    "IndiError": "errors",
    "Member": "values",
    "NotConnected": "errors",
    "Number": "values",
    "Permission": "protocol.messages",
    "Property": "property",
    "ProtocolError": "errors",
    "Reject": "errors",
    "Reply": "values",
    "Rule": "protocol.messages",
    "SetupLocked": "errors",
    "State": "protocol.messages",
    "TargetError": "errors",
    "Update": "values",
}

if not TYPE_CHECKING:  # a checker must find a name that is none

    def __getattr__(name: str) -> object:
        """A name is loaded when it is first asked for: the command line, which serves apps, imports none of it."""
        if name not in _MODULES:
            raise AttributeError(f"module 'indiflask' has no attribute {name!r}")
        value = getattr(import_module(f"indiflask.{_MODULES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
