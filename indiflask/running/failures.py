"""Exceptions of users' functions, as words for clients."""

from __future__ import annotations

from typing import Final

from indiflask.errors import IndiError

FAILURES: Final = (Exception, SystemExit)
"""What a user's function may fail with. A ``sys.exit()`` in one must not end the others' app; Ctrl-C does."""


MESSAGE_LENGTH: Final = 4000
"""Characters of a message. A panel shows some lines, and what is longer than a start tag may be ends the connection."""


def leaf(error: BaseException) -> BaseException:
    """The first real exception in the groups that task groups wrap theirs in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def shown(message: str) -> str:
    """As much of it as is sent to people."""
    if len(message) <= MESSAGE_LENGTH:
        return message
    return f"{message[:MESSAGE_LENGTH]}... ({len(message)} characters)"


def text_of(error: BaseException) -> str:
    """What a client is told: our own errors speak for themselves, others are named by their type."""
    text = str(error)
    if isinstance(error, IndiError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
