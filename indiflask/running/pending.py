"""The awaitable that ``request`` and ``cancel`` give: made in any thread, awaited on the loop or not at all."""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from indiflask.errors import IndiError
from indiflask.links.signals import Latch

if TYPE_CHECKING:
    from indiflask.running.handler import Run
    from indiflask.running.place import Place

current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)
"""The request whose handler is running, in its tasks and in the device's thread."""


class Pending:
    """Ends when what was asked for has ended; raises what it ended with."""

    def __init__(self, what: str, place: Place | None = None) -> None:
        self.what = what
        run = current_run.get()
        self.origin = run if run is not None and not run.ended.is_set else None
        """The request whose handler asks. A task that outlives its handler asks for itself."""
        self._place = place
        self._ended = Latch()
        self._error: Exception | None = None

    def finish(self, error: Exception | None = None) -> None:
        """It has ended. On the loop; the first call counts."""
        if not self._ended.is_set:
            self._error = error
            self._ended.set()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        run = current_run.get()
        if run is not None and any(self._place is place for place, ended in run.holders if not ended.is_set):
            raise IndiError(f"{self.what} would wait for itself: it has to wait for the handler that awaits it")
        await self._ended.wait()
        if self._error is not None:
            raise self._error
