"""A device's own thread, for its ``def`` functions: blocking hardware libraries are safe, and called in order."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from indiflask.links.loop import Loop, Waiter

T = TypeVar("T")


class Job:
    """One call for the thread. ``ended`` is set on the loop once the call has returned, or will never be made."""

    __slots__ = ("abandoned", "args", "context", "ended", "error", "function", "result")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], ended: Waiter) -> None:
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
        try:
            self.result = self.context.run(self.function, *self.args)
        except BaseException as error:  # also SystemExit: a handler's sys.exit() must not end the thread
            self.error = error


class Worker:
    """One thread, started with its first call. It is a daemon: a call that never returns holds up no exit."""

    def __init__(self, name: str, loop: Loop) -> None:
        self._name = name
        self._loop = loop
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
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
        job = self.submit(function, *args)
        try:
            await job.ended.wait()
        finally:
            job.abandoned = True
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def submit(self, function: Callable[..., Any], *args: Any) -> Job:
        """Give the thread a call; ``Job.ended`` tells when it has returned."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        job = Job(function, args, self._loop.waiter())
        self.pending += 1
        self._jobs.put(job)
        return job

    def close(self) -> None:
        """Let the thread end after what it has."""
        if self._thread is not None:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.perform()
            self._loop.call(self._ended, job)

    def _ended(self, job: Job) -> None:
        self.pending -= 1
        job.ended.set()
