"""Requests and their answers in the log, as people read it: a few times a second, and not while frames pass."""

from __future__ import annotations

import logging
import time

import anyio

from indiflask.hub import Journal
from indiflask.links.loop import Loop
from indiflask.links.signals import Bell

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Until notes are written: at once, to a person, and once for many, to a machine under load."""


class RequestLog:
    """Writes what a journal has noted. ``journal`` is None where nobody wants to read it."""

    def __init__(self) -> None:
        self._news = Bell(Loop.current())
        self.journal = Journal(time.monotonic, self._news.ring) if log.isEnabledFor(logging.INFO) else None

    async def keep_writing(self) -> None:
        """Until cancelled; what is noted then is written too."""
        while self.journal is not None:
            try:
                await self._news.wait()
                await anyio.sleep(PAUSE_SECONDS)
            finally:
                for line in self.journal.lines():
                    log.info("%s", line)
