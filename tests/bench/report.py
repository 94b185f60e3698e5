"""Tables in Markdown, to be read in a terminal and to be put into docs/performance.md."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.bench.runs import Result

Column = tuple[str, Callable[[Result], str]]


def median(result: Result) -> float:
    """Seconds; not a number where nothing was measured."""
    return statistics.median(result.seconds) if result.seconds else float("nan")


def percentile(result: Result, percent: float) -> float:
    """Seconds that so many of hundred samples do not exceed."""
    ordered = sorted(result.seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def duration(seconds: float) -> str:
    """With the unit that fits: µs, ms, s."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def arrived(result: Result) -> str:
    """How much of what was due; a run that lost something is no measurement."""
    return f"{result.arrived:,}" if result.valid else f"**invalid**: {result.arrived:,} of {result.expected:,}"


def ratios(results: Sequence[Result]) -> list[Column]:
    """A column for each peer that was measured: the median divided by that peer's."""

    def column(peer: Result) -> Column:
        return f"× {peer.peer}", lambda result: f"{median(result) / median(peer):.2f}"

    return [column(result) for result in results if result.peer and result.seconds]


USAGE: list[Column] = [
    ("CPU s", lambda result: f"{result.cpu:.2f}"),
    ("peak MB", lambda result: f"{result.peak:.0f}" if result.peak else "–"),
    ("arrived", arrived),
]


def show(title: str, results: Sequence[Result], columns: Sequence[Column]) -> bool:
    """Print a table. False when a run of ours is invalid."""
    head = ["", *(name for name, _ in columns)]
    rows = [[result.name, *(text(result) for _, text in columns)] for result in results]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    print(f"\n### {title}\n")
    for row in [head, ["-" * width for width in widths], *rows]:
        first, *others = map(str.rjust, row, widths)
        print("| " + " | ".join([first.strip().ljust(widths[0]), *others]) + " |")
    return all(result.valid for result in results if not result.peer)
