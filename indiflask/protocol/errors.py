"""The root of the package's errors, and the one error that bytes can cause.

    IndiError
    └── ProtocolError (ValueError)      bytes that are no INDI: what, and at which byte

The rest of the tree stands in ``indiflask.errors``; this layer imports nothing from above.
"""

from __future__ import annotations

__all__ = ["IndiError", "ProtocolError"]


class IndiError(Exception):
    """Everything that this package raises on purpose."""


class ProtocolError(IndiError, ValueError):
    """Bytes that are no INDI: ``why`` says what was found and what would be right, ``at`` where.

    ``at`` counts bytes from 0: from the start of the stream where the bytes came through a `Framer`, else from
    the start of what was given.
    """

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why, at)
        self.why = why
        self.at = at

    def __str__(self) -> str:
        return f"{self.why}, at byte {self.at}"
