"""A device's own thread, for its ``def`` functions: blocking hardware libraries are safe, and called in order."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import perf_counter
from typing import Any, TypeVar, cast

from indiflask.links.loop import Loop, Waiter

T = TypeVar("T")

BRIEF_SECONDS = 0.0002
"""A call is waited for so long where it was made, if the one before was as quick: setting a pin takes less than putting
the loop to sleep and waking it. The others wait no longer for their turn than they do for a large frame."""


class Job:
    """One call for the thread. ``ended`` is set on the loop once the call has returned, or will never be made."""

    __slots__ = (
        "abandoned", "args", "context", "ended", "error", "function", "has_ended", "is_awaited", "is_brief", "result",
        "returned",
    )  # fmt: skip

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], ended: Waiter) -> None:
        self.returned = threading.Lock()
        """Held until the call has returned."""
        self.returned.acquire()
        self.is_awaited = True
        """Whether the loop is to be told."""
        self.has_ended = False
        """Whether it has been told."""
        self.is_brief = False
        self.function = function
        self.args = args
        self.context = contextvars.copy_context()
        self.ended = ended
        self.abandoned = False
        self.result: Any = None
        self.error: BaseException | None = None

    def perform(self) -> None:
        """Make the call, in the thread; what it raises is kept for whoever waits."""
        if self.abandoned:
            return
        begun = perf_counter()
        try:
            self.result = self.context.run(self.function, *self.args)
        except BaseException as error:  # also SystemExit: a handler's sys.exit() must not end the thread
            self.error = error
        self.is_brief = perf_counter() - begun < BRIEF_SECONDS


class Worker:
    """One thread, started with its first call. It is a daemon: a call that never returns holds up no exit."""

    def __init__(self, name: str, loop: Loop) -> None:
        self._name = name
        self._loop = loop
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_brief = False
        """Whether the last call was."""
        self.pending = 0
        """Calls under way or waiting."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way or waits."""
        return self.pending > 0

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call ``function`` in the thread, after the calls before it.

        A call that is under way cannot be interrupted: when the waiting task is cancelled, its result is dropped,
        and the next call waits for the thread.
        """
        job = self._job(function, args)
        if not self._has_returned(job):
            try:
                await job.ended.wait()
            finally:
                job.abandoned = True
        self._is_brief = job.is_brief
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def submit(self, function: Callable[..., Any], *args: Any) -> Job:
        """Give the thread a call; ``Job.ended`` tells when it has returned."""
        job = self._job(function, args)
        self._jobs.put(job)
        return job

    def _job(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Job:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self.pending += 1
        return Job(function, args, self._loop.waiter())

    def _has_returned(self, job: Job) -> bool:
        """Give the thread a call, and wait for it here if it may be brief; whether it has returned."""
        job.is_awaited = not self._is_brief or self.pending > 1
        self._jobs.put(job)
        if job.is_awaited:
            return False
        if not job.returned.acquire(timeout=BRIEF_SECONDS):
            job.is_awaited = True
            if not job.returned.acquire(blocking=False):
                return False  # it returns after this, and will tell the loop
        self._ended(job)
        return True

    def close(self) -> None:
        """Let the thread end after what it has."""
        if self._thread is not None:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.perform()
            job.returned.release()
            if job.is_awaited:
                self._loop.call(self._ended, job)

    def _ended(self, job: Job) -> None:
        if not job.has_ended:
            job.has_ended = True
            self.pending -= 1
            job.ended.set()
