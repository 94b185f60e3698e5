"""Requests and their answers as lines for people."""

from collections.abc import Callable

import pytest

from indiflask.hub import Hub, Journal
from indiflask.protocol.messages import (
    DelProperty,
    Kind,
    NewVector,
    OneBlob,
    OneMember,
    PingRequest,
    SetVector,
    State,
)
from tests.hub.kit import ASK, End, news, number

Tell = Callable[[float], None]


class Kept:
    """A hub that keeps a journal, with a clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rung = 0
        self.journal = Journal(lambda: self.now, self.ring)
        hub = Hub(self.journal)
        self.driver = End(hub, "driver", owner=True)
        self.client = End(hub, "10.0.0.1:5000")
        self.driver.say(number())
        self.client.say(ASK)

    def ring(self) -> None:
        self.rung += 1

    def ask(self, value: str = "5", *, name: str = "N") -> None:
        self.client.say(NewVector(Kind.NUMBER, "D", name, members=(OneMember("X", value),)))

    def answer(self, state: State, after: float, message: str | None = None) -> None:
        self.now += after
        self.driver.say(SetVector(Kind.NUMBER, "D", "N", state, message=message))


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_a_line_says_who_what_how_long_and_the_outcome(kept: Kept) -> None:
    kept.ask("1:30")
    kept.answer(State.OK, 0.0123)
    assert kept.journal.lines() == ["D.N X=1:30 by 10.0.0.1:5000: Ok, 12.3 ms"]
    assert kept.journal.lines() == []


def test_a_long_one_is_busy_once_and_then_ends(kept: Kept) -> None:
    kept.ask()
    for _ in range(3):
        kept.answer(State.BUSY, 0.05)
    kept.answer(State.ALERT, 30, "below horizon")
    assert kept.journal.lines() == [
        "D.N X=5 by 10.0.0.1:5000: Busy, 50.0 ms",
        "D.N X=5 by 10.0.0.1:5000: Alert, 30.1 s: below horizon",
    ]


def test_what_nobody_has_asked_for_is_no_answer(kept: Kept) -> None:
    kept.driver.say(news())
    kept.client.say(PingRequest("1"))
    assert kept.journal.lines() == []
    assert kept.rung == 0


def test_one_that_nobody_will_answer_is_told_too(kept: Kept) -> None:
    kept.ask(name="M")
    kept.ask()
    kept.driver.say(DelProperty("D", "N"))
    assert [line.rpartition(": ")[2] for line in kept.journal.lines()] == ["no such property", "the property is gone"]


def test_many_are_counted(kept: Kept) -> None:
    for number_ in range(1000):
        kept.ask(str(number_))
        kept.answer(State.OK, 0)
    *lines, last = kept.journal.lines()
    assert len(lines) == 20
    assert last == "... and 980 more requests"
    assert kept.rung == 1


def test_what_is_never_answered_does_not_pile_up(kept: Kept) -> None:
    for number_ in range(1000):
        kept.ask(str(number_))
    assert sum(map(len, kept.journal.awaited.values())) == 20
    kept.answer(State.OK, 1)
    assert kept.journal.lines()[-1] == "... and 980 more requests"


def test_blobs_and_control_characters_are_no_mess(kept: Kept) -> None:
    kept.client.say(NewVector(Kind.BLOB, "D", "N", members=(OneBlob("B", 3, ".fits", b"YWJj"),)))
    kept.client.say(NewVector(Kind.TEXT, "D", "N", members=(OneMember("T", "a\nb" + "x" * 100),)))
    kept.client.say(NewVector(Kind.BLOB, "D", "N", members=(OneBlob("B", 9000, ".fits", b"YWJj" * 3000),)))
    kept.answer(State.OK, 0)
    small, text, large = kept.journal.lines()
    assert "B=[3 bytes of .fits]" in small
    assert "T=a\ufffdbx" in text
    assert "[12000 bytes]" in large
    assert max(map(len, (small, text, large))) < 300


def test_a_crash_ends_what_was_awaited(kept: Kept) -> None:
    kept.ask()
    kept.driver.hub.suspend(kept.driver.peer, "killed", alert=True)
    assert kept.journal.lines() == ["D.N X=5 by 10.0.0.1:5000: its driver has ended"]
