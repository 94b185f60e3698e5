"""When the loop stays awake for the next word, and when it does not."""

from collections.abc import Callable
from typing import Any

import pytest

from indiflask.links import linger as linger_module
from indiflask.links.linger import LINGER_SECONDS, REST_TIMES, SOON_SECONDS, Linger


class Turns:
    """A loop that does nothing but what is to be called soon, and a clock."""

    def __init__(self) -> None:
        self.now = 1.0
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, function: Callable[[], None]) -> None:
        self.soon.append(function)

    def turn(self) -> bool:
        """Whether it turns once more after that."""
        waiting, self.soon = self.soon, []
        for function in waiting:
            function()
        return bool(self.soon)


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def linger(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> Linger:
    monkeypatch.setattr(linger_module, "_processors", lambda: 2)
    loop: Any = turns
    return Linger(loop, lambda: turns.now)


def exchange(linger: Linger, turns: Turns, gap: float) -> bool:
    """We say something and hear something so much later; whether the loop was awake then."""
    linger.said()
    turns.now += gap / 2
    turns.turn()
    turns.now += gap / 2
    awake = turns.turn()
    linger.heard()
    return awake


def test_who_answers_soon_is_waited_for_the_next_time(linger: Linger, turns: Turns) -> None:
    assert [exchange(linger, turns, LINGER_SECONDS / 2) for _ in range(3)] == [False, True, True]


def test_nobody_else_is(linger: Linger, turns: Turns) -> None:
    assert not any(exchange(linger, turns, SOON_SECONDS * 2) for _ in range(3))


def test_it_ends_when_nothing_comes(linger: Linger, turns: Turns) -> None:
    exchange(linger, turns, 0)
    linger.said()
    assert turns.turn()
    turns.now += LINGER_SECONDS * 1.01
    assert not turns.turn()
    assert turns.soon == []


def test_in_vain_it_rests(linger: Linger, turns: Turns) -> None:
    exchange(linger, turns, 0)
    exchange(linger, turns, LINGER_SECONDS * 1.5)
    assert not any(exchange(linger, turns, 0) for _ in range(REST_TIMES - 1))
    assert exchange(linger, turns, 0)


def test_one_who_only_listens_is_not_waited_for(linger: Linger, turns: Turns) -> None:
    exchange(linger, turns, 0)
    linger.said()
    turns.now += LINGER_SECONDS * 2
    turns.turn()
    linger.said()
    assert not turns.turn()


def test_not_where_there_is_one_processor(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger_module, "_processors", lambda: 1)
    loop: Any = turns
    linger = Linger(loop, lambda: turns.now)
    assert not any(exchange(linger, turns, 0) for _ in range(3))
