"""Step 7 of a request's way: what is true, whoever changed it. Also for sources, which are read only."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from indiflask.running.failures import FAILURES, leaf, text_of
from indiflask.values import State

if TYPE_CHECKING:
    from indiflask.running.live import Live

log = logging.getLogger(__name__)

READ_SECONDS = 5.0
"""How long the first readings may hold up the definitions at connect; what is late comes when it comes."""


async def read_all(lives: Sequence[Live]) -> None:
    """Read whatever can be read, before the definitions go out."""
    with anyio.move_on_after(READ_SECONDS) as limit:
        async with anyio.create_task_group() as tasks:
            for live in lives:
                if live.readable:
                    tasks.start_soon(read_once, live)
    if limit.cancelled_caught:
        log.warning("the first readings took longer than %g s", READ_SECONDS)


async def read_once(live: Live) -> None:
    """Call the readback or source and tell what it says; its errors are shown once, not each time."""
    before = live.changes
    try:
        values, state, message = await live.device.read(live)
    except FAILURES as error:
        _failed(live, leaf(error), shown=live.changes == before)
        return
    if live.changes != before:
        return  # a handler started or ended meanwhile: this is out of date
    live.read_failure = ""
    live.learnt(values, state, message)


def _failed(live: Live, error: BaseException, *, shown: bool) -> None:
    text = text_of(error)
    if shown and text != live.read_failure:
        live.read_failure = text
        log.error("reading %s failed: %s", live.path, text, exc_info=error)
        live.learnt({}, State.ALERT, text)
    live.device.lose(error)


async def keep_reading(live: Live) -> None:
    """Read at its periods, and when ``refresh()`` wants it."""
    last = anyio.current_time()
    while True:
        with anyio.move_on_after(max(0, last + _period(live) - anyio.current_time())) as due:
            await live.wake.wait()
        wanted, live.refresh_wanted = live.refresh_wanted, False
        if due.cancelled_caught:
            last = anyio.current_time()
            if not wanted and live.device.thread_taken and live.reader.in_thread:
                continue  # the thread is taken: the next one will do
        elif not wanted:
            continue  # a handler started or ended: another period holds
        await read_once(live)


def _period(live: Live) -> float:
    """Seconds between two readings, as things are."""
    readback = live.prop.readback
    if readback is None:
        return live.prop.declaration.conduct.every or math.inf
    return (readback.busy if live.busy and readback.busy else readback.every) or math.inf
