"""Calling a user's function, whatever its kind: ``def`` in the device's thread, ``async def`` on the loop, generators
of either.
"""

from __future__ import annotations

import contextvars
import inspect
import logging
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import aclosing
from typing import Any

import anyio

from indiflask.errors import IndiError
from indiflask.running.worker import Worker

log = logging.getLogger(__name__)

Progress = Callable[[Any], None]
"""Told each value that a generator yields."""


class Callee:
    """A user's function, and of what kind it is."""

    __slots__ = ("function", "in_thread", "is_async", "is_generator")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        is_async_generator = inspect.isasyncgenfunction(function)
        self.is_async = inspect.iscoroutinefunction(function)
        self.is_generator = is_async_generator or inspect.isgeneratorfunction(function)
        self.in_thread = not (self.is_async or is_async_generator)
        """Whether it is a plain ``def``, generator or not."""


async def call(callee: Callee, args: tuple[Any, ...], worker: Worker, progress: Progress) -> Any:
    """The function's result; of a generator the last value that it yielded, or what it returned."""
    try:
        if callee.is_async:
            return await _Isolated(callee.function(*args))
        return await _Isolated(_call(callee, args, worker, progress))
    except anyio.get_cancelled_exc_class() as error:
        if anyio.current_effective_deadline() == -math.inf:
            raise
        # Nobody cancelled the function: it awaited an asyncio future that was. Let through, that would end the device.
        raise IndiError("it awaited something that was cancelled") from error


class _Isolated:
    """Runs a coroutine in a context of its own, as a task would: one request's context variables are not the next's."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        run = contextvars.copy_context().run
        step, given = self._coroutine.send, None
        while True:
            try:
                awaited = run(step, given)
            except StopIteration as end:
                return end.value
            try:
                step, given = self._coroutine.send, (yield awaited)
            except BaseException as error:
                step, given = self._coroutine.throw, error


async def _call(callee: Callee, args: tuple[Any, ...], worker: Worker, progress: Progress) -> Any:
    if callee.is_generator:
        steps = callee.function(*args)
        return await (_exhaust(steps, worker, progress) if callee.in_thread else _exhaust_async(steps, progress))
    result = await worker.run(callee.function, *args)
    # a def that returns a coroutine: a lambda or partial over an async def
    return await result if inspect.iscoroutine(result) else result


async def _exhaust_async(steps: AsyncGenerator[Any, None], progress: Progress) -> Any:
    last = None
    async with aclosing(steps):
        async for last in steps:
            progress(last)
    return last


async def _exhaust(steps: Generator[Any, None, Any], worker: Worker, progress: Progress) -> Any:
    """Each step is a call of its own, so that other functions of the device get the thread between two yields."""
    last = None
    try:
        while True:
            ended, value = await worker.run(_step, steps)
            if ended:
                return last if value is None else value
            progress(value)
            last = value
    except BaseException:
        # Cancelled, or a yield was no value: the generator ends at its yield, once the step under way has ended.
        # Nobody waits here: what ends that step may be the function under @prop.stop, which is called next.
        worker.submit(_close, steps)
        raise


def _close(steps: Generator[Any, None, Any]) -> None:
    try:
        steps.close()
    except Exception:
        log.exception("ending %s early", getattr(steps, "__qualname__", steps))


def _step(steps: Generator[Any, None, Any]) -> tuple[bool, Any]:
    """The next yield, or the end with what was returned; StopIteration cannot leave a thread's call."""
    try:
        return False, next(steps)
    except StopIteration as end:
        return True, end.value
