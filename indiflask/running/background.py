"""``@app.task`` and ``@app.every``: run beside the handlers, and started again when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from indiflask.device import Background
from indiflask.running.calls import Callee

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner

RESTART_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Waits before a task that failed is started again: quick after a hiccup, quiet when it is broken."""


async def keep_running(runner: DeviceRunner, background: Background) -> None:
    """Run it until cancelled."""
    if background.every:
        await _call_every(runner, background)
    else:
        await _run_on(runner, background)


async def _call_every(runner: DeviceRunner, background: Background) -> None:
    due = anyio.current_time()
    while True:
        await runner.guarded(background.function, _name(background))
        due = max(due + background.every, anyio.current_time())
        await anyio.sleep_until(due)


async def _run_on(runner: DeviceRunner, background: Background) -> None:
    """A task that ends well is done; one that fails is started again."""
    own = runner.worker_of(background) if Callee(background.function).in_thread else None
    failures = 0
    while not await runner.guarded(background.function, _name(background), worker=own):
        await anyio.sleep(RESTART_SECONDS[min(failures, len(RESTART_SECONDS) - 1)])
        failures += 1


def _name(background: Background) -> str:
    return getattr(background.function, "__name__", "task")
