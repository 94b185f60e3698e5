"""``Linger``: an event loop that looks again for a moment before it sleeps, where it is spoken to that soon.

A processor that has gone to sleep takes longer to wake, and to find its way in memory again, than a request takes.
Whoever asks, is answered and asks again at once meets a loop that is still awake. See docs/decisions/0011.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from anyio.lowlevel import current_token

if TYPE_CHECKING:
    import asyncio

LINGER_SECONDS = 0.0006
"""How long: as long as a process takes to answer that has to ask another, or a thread."""

SOON_SECONDS = 0.0012
"""Whoever has spoken sooner than this after us may do so again. It takes longer while the loop still sleeps."""

REST_TIMES = 4
"""So often it does not linger after it has done so in vain: what that costs is little then."""


class Linger:
    """For one connection on asyncio. Only where there is another processor for who is waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] = perf_counter) -> None:
        self._loop = loop
        self._clock = clock
        self._is_worth_it = False
        self._rest = 0 if _processors() > 1 else -1
        """How often it is not tried any more; -1 for ever."""
        self._said_at = 0.0
        self._until = 0.0
        self._turning = False

    def said(self) -> None:
        """Something has gone out: the next may come at once."""
        self._said_at = now = self._clock()
        if self._is_worth_it:
            self._until = now + LINGER_SECONDS
            if not self._turning:
                self._turning = True
                self._loop.call_soon(self._turn)

    def heard(self) -> None:
        """Something has come."""
        if self._rest > 0:
            self._rest -= 1
        self._is_worth_it = not self._rest and self._clock() - self._said_at < SOON_SECONDS
        self._until = 0.0

    def _turn(self) -> None:
        """The loop does not sleep as long as something is to be called at its next turn."""
        if self._clock() < self._until:
            self._loop.call_soon(self._turn)
            return
        self._turning = False
        if self._until:  # in vain
            self._rest = REST_TIMES
            self._is_worth_it = False


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def linger() -> Linger | None:
    """That of a new connection; None where the running backend has no such thing."""
    native: Any = current_token().native_token
    return Linger(native) if hasattr(native, "call_soon") else None
