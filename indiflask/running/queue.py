"""Step 2 of a request's way: a device's requests start in the order they came, each when the one before has ended or
gone Busy.

One task performs them one after the other, since a task for each would be most of what a quick one costs. A request
that takes longer keeps that task, and those behind it get another.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from typing import TYPE_CHECKING

import anyio

from indiflask.errors import Reject
from indiflask.links.signals import Bell, Latch
from indiflask.running.handler import Run

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner
    from indiflask.running.live import Live, Request

log = logging.getLogger(__name__)

BUSY_AFTER = 0.05
"""Seconds until a request that still runs is shown as Busy: what a person takes for "at once"."""


class Queue:
    """One device's. Loop thread only."""

    def __init__(self, runner: DeviceRunner) -> None:
        self._runner = runner
        self._time = runner.engine.loop.time
        self._requests: deque[Request] = deque()
        self._news = Bell(runner.engine.loop)
        self._idle = Latch()
        self._server: object = None
        """Stands for the task that serves now. One that finds another here ends with its request."""
        self._performing: Run | None = None
        """The request that keeps that task."""
        self._clock = Bell(runner.engine.loop)
        self._clock_stands = True

    def __len__(self) -> int:
        return len(self._requests)

    def put(self, request: Request, *, first: bool = False) -> None:
        """It is started when its turn comes."""
        (self._requests.appendleft if first else self._requests.append)(request)
        if self._idle.is_set:
            self._idle = Latch()
        self._news.ring()

    def drop(self, live: Live) -> list[Request]:
        """Forget the requests of a property that have not started; these requests."""
        dropped = [request for request in self._requests if request.live is live]
        for request in dropped:
            self._requests.remove(request)
        return dropped

    async def settle(self) -> None:
        """Return when all requests so far have ended or gone Busy."""
        await self._idle.wait()

    async def start(self, request: Request) -> None:
        """Start one outside the order; returns when it has ended or gone Busy."""
        run = self._accept(request)
        if run is not None:
            if run.begun:
                run.perform_alone()
            await self._until_settled(run)

    # --- the task that serves ---

    async def serve(self) -> None:
        """Perform what comes, until cancelled or until a request takes longer."""
        me = self._server = object()
        try:
            while self._server is me:
                await self._perform(me)
        except anyio.get_cancelled_exc_class():
            if self._server is me and anyio.current_effective_deadline() != -math.inf:
                log.warning("%s: somebody has cancelled the task that serves its requests", self._runner.name)
                self._runner.soon(self.serve)  # a handler's, by hand: the others are served by another
            raise

    async def _perform(self, me: object) -> None:
        """Until one has ended early, which takes the scope that they share with it, or has gone Busy."""
        run = None
        try:
            with anyio.CancelScope() as scope:
                while self._server is me:
                    run = self._performing = await self._next()
                    run.busy_at = self._time() + BUSY_AFTER
                    if self._clock_stands:
                        self._clock.ring()
                    if not await run.attempt(scope):
                        break
                    if self._performing is run:
                        self._performing = None
        finally:
            if run is not None and not run.ended.is_set:
                await run.halt()  # outside the scope, which is cancelled
        if self._performing is run:
            self._performing = None

    def goes_on(self, run: Run) -> None:
        """A request has gone Busy: those behind it are another task's."""
        if run is self._performing:
            self._performing = self._server = None
            self._runner.soon(self.serve)

    async def _next(self) -> Run:
        """The next request that may run, begun."""
        while True:
            if not self._requests:
                self._idle.set()
                self._runner.engine.flush()  # all has been said: no need to wait for the loop's next turn
                await self._news.wait()
                continue
            run = self._accept(self._requests.popleft())
            if run is None:
                continue
            if run.begun:
                return run
            await self._until_settled(run)

    def _accept(self, request: Request) -> Run | None:
        """Check a request, and begin it if its place is free; None if it was refused."""
        try:
            run = Run(request, self._runner.check(request))
            request.live.place.offer(run)
        except Reject as reject:
            self._runner.refuse(request, reject)
            return None
        return run

    async def _until_settled(self, run: Run) -> None:
        with anyio.move_on_after(BUSY_AFTER) as limit:
            await run.settled.wait()
        if limit.cancelled_caught:
            run.go_busy()

    # --- the clock that tells when a request takes longer: one for all, not one for each ---

    async def tell_busy(self) -> None:
        """Show as Busy what has been performed for long enough, until cancelled."""
        while True:
            self._clock_stands = True
            await self._clock.wait()
            self._clock_stands = False
            await anyio.sleep(BUSY_AFTER)  # nothing has begun before it was rung
            while (run := self._performing) is not None:
                if run.busy_at <= self._time():
                    run.go_busy()
                else:
                    await anyio.sleep_until(run.busy_at)
