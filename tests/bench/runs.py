"""Runs of several servers in turn, so that what else the machine does meets all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.bench.client import first_definition
from tests.bench.machine import cpu_seconds, peak_memory
from tests.peers import Program


@dataclass(frozen=True)
class Round:
    """What one turn of one server gave."""

    seconds: list[float]
    expected: int
    arrived: int


@dataclass(frozen=True)
class Entry:
    """A server that takes part. `peer`: how a column calls the ratios to it; "" for ours."""

    name: str
    serve: Callable[[], AbstractContextManager[Program]]
    measure: Callable[[int], Round]
    peer: str = ""


@dataclass
class Result:
    """All that one server gave: seconds of each sample, and what its processes used meanwhile."""

    name: str
    peer: str = ""
    seconds: list[float] = field(default_factory=list)
    expected: int = 0
    arrived: int = 0
    cpu: float = 0
    peak: float = 0

    @property
    def valid(self) -> bool:
        """Nothing was lost."""
        return self.arrived == self.expected > 0

    def add(self, turn: Round, cpu: float) -> None:
        self.seconds += turn.seconds
        self.expected += turn.expected
        self.arrived += turn.arrived
        self.cpu += cpu


def alternate(entries: Sequence[Entry], rounds: int) -> list[Result]:
    """Give each its turn so many times. Who lost something has no further turn."""
    results = [Result(entry.name, entry.peer) for entry in entries]
    for _ in range(rounds):
        for entry, result in zip(entries, results, strict=True):
            if result.valid or not result.expected:
                _turn(entry, result)
    return results


def _turn(entry: Entry, result: Result) -> None:
    """A server of its own for each turn: one that merely waits takes time from the one that is measured."""
    with entry.serve() as program:
        first_definition(program.port)  # if it has none, the measurement will show it
        before = cpu_seconds(program.process.pid)
        turn = entry.measure(program.port)
        result.add(turn, cpu_seconds(program.process.pid) - before)
        result.peak = max(result.peak, peak_memory(program.process.pid))
