"""indiflask: an INDI instrument out of a ten-line Python script.

A function with a decorator is a control that every INDI client can see and use: KStars/Ekos, PHD2, a terminal.
"""

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
