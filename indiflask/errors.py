"""What can go wrong, as one tree.

IndiError
├── ProtocolError (ValueError)      bytes that are no INDI: what, and at which byte
├── DeclarationError (TypeError)    a decorator used wrongly: refused at import, with file and line
├── SetupLocked (RuntimeError)      a property added once the app is being served
├── LinkError (OSError)             an address that cannot be served or reached
├── TargetError                     a target of `indiflask run` that cannot be loaded
└── Reject                          raised by a handler: this request is refused, and why
├── NotConnected                the device is not connected
└── Cancelled                   a request that the app itself made ended early
"""

from __future__ import annotations

from indiflask.protocol.errors import IndiError, ProtocolError

__all__ = [
    "Cancelled",
    "DeclarationError",
    "IndiError",
    "NotConnected",
    "ProtocolError",
    "Reject",
    "SetupLocked",
    "TargetError",
]


class DeclarationError(IndiError, TypeError):
    """A decorator over a function that cannot become a property, refused where it stands.

    ``where`` is ``file:line``, ``what`` the mistake in one sentence, ``found`` the ``def`` as it is written and
    ``expected`` one that would work.
    """

    def __init__(self, where: str, what: str, found: str = "", expected: str = "") -> None:
        lines = [f"{where}: {what}"]
        if found:
            lines.append(f"  found:    {found}")
        if expected:
            lines.append(f"  expected: {expected}")
        super().__init__("\n".join(lines))
        self.where, self.what, self.found, self.expected = where, what, found, expected


class SetupLocked(IndiError, RuntimeError):
    """A property, task or device was added while the app is served. Declare it before ``app.run()``."""


class TargetError(IndiError):
    """A target such as ``led:app`` or ``led.py`` that cannot be loaded: what is wrong and what would be right."""


class Reject(IndiError):
    """Raised in a handler to refuse a request: ``raise Reject("below horizon")``.

    The client sees Alert with this text, and the values as they were before.
    """


class NotConnected(Reject):
    """Hardware was used, or a request made, while the device is not connected."""


class Cancelled(Reject):
    """A request that was awaited ended early: it was cancelled, or replaced by one of another property."""
