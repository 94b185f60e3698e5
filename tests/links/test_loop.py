"""Calls into the loop from any thread."""

import threading

import anyio
import pytest

from indiflask.links.loop import Loop

pytestmark = pytest.mark.anyio


async def test_calls_from_threads_come_in_their_order() -> None:
    loop = Loop.current()
    got: list[int] = []
    done = anyio.Event()

    def count() -> None:
        assert not loop.inside
        for number in range(1000):
            loop.call(got.append, number)
        loop.call(done.set)

    threading.Thread(target=count).start()
    await done.wait()
    assert got == list(range(1000))
    assert loop.inside


async def test_soon_is_the_next_turn() -> None:
    loop = Loop.current()
    done = anyio.Event()
    loop.soon(done.set)
    assert not done.is_set()
    await done.wait()


async def test_its_clock_is_anyios() -> None:
    loop = Loop.current()
    assert loop.time() == pytest.approx(anyio.current_time(), abs=1)


def test_after_its_end_a_call_says_no() -> None:
    async def make() -> Loop:
        return Loop.current()

    for backend in ("asyncio", "trio"):
        assert not anyio.run(make, backend=backend).call(print, "never")
