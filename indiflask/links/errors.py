"""What goes wrong between us and a network."""

from __future__ import annotations

from indiflask.protocol.errors import IndiError


class LinkError(IndiError, OSError):
    """An address that cannot be served or reached: which, why, and what would help."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
