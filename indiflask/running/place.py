"""Step 6 of a request's way: a place is where one request of a property runs at a time, or of all properties with the
same ``exclusive``. What comes meanwhile replaces, waits or is rejected.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from indiflask.errors import Reject

if TYPE_CHECKING:
    from indiflask.running.handler import Run
    from indiflask.running.live import Live


class Place:
    """Holds the run under way and those that wait for it. Loop thread only.

    ``crowd`` has all runs that wait for the places of one device: how many may is limited.
    """

    def __init__(self, crowd: set[Run]) -> None:
        self.current: Run | None = None
        self.waiting: deque[Run] = deque()
        self._crowd = crowd

    def offer(self, run: Run) -> None:
        """Begin it if the place is free; else let it wait, as its property's ``overlap`` says. Raises Reject."""
        if self.current is None:
            self.current = run
            run.begin()
            return
        match run.live.prop.declaration.conduct.overlap:
            case "reject":
                raise Reject(f"{self.current.live.prop.definition.name} is still busy")
            case "queue":
                self.waiting.append(run)
                self._crowd.add(run)
            case "replace":
                for late in self.waiting:
                    late.superseded(run)
                self._crowd.difference_update(self.waiting)
                self._crowd.add(run)
                self.waiting = deque([run])
                self.current.superseded(run)

    def release(self) -> None:
        """The run under way has ended and its hardware is halted: the next one starts."""
        self.current = None
        if self.waiting:
            run = self.waiting.popleft()
            self._crowd.discard(run)
            self.current = run
            run.begin()
            run.perform_alone()

    def awaited_by(self, live: Live) -> bool:
        """Whether a request of this property waits for the place."""
        return any(run.live is live for run in self.waiting)

    def drop(self, live: Live) -> list[Run]:
        """Forget what waits for this property; the runs that were dropped."""
        dropped = [run for run in self.waiting if run.live is live]
        self._crowd.difference_update(dropped)
        self.waiting = deque(run for run in self.waiting if run.live is not live)
        return dropped
