"""A new client of a server with many properties: until it has all definitions, and what that takes in memory."""

from __future__ import annotations

import re
import time
from functools import partial

from tests.bench.client import Client, Late
from tests.bench.report import USAGE, Column, duration, median, show
from tests.bench.runs import Entry, Result, Round, alternate
from tests.bench.servers import WAYS, has_indipydriver, in_process, loops

NAME = re.compile(rb"""<defNumberVector(?=[^>]*\bname=["'](P\d+)["'])""")
END = b"</defNumberVector>"


def measure(count: int, clients: int, port: int) -> Round:
    """So many new clients, one after another, each from its connecting to the last definition."""
    seconds: list[float] = []
    found = 0
    for _ in range(clients):
        start = time.perf_counter()
        received = definitions(count, port)
        seconds.append(time.perf_counter() - start)
        found += len(set(NAME.findall(received)))
        if found < count * len(seconds):
            break
    return Round(seconds, count * len(seconds), found)


def definitions(count: int, port: int) -> bytearray:
    """What a new client receives until it has so many definitions, or until the run's time is up."""
    received = bytearray()
    ends = 0
    try:
        with Client(port) as client:
            client.ask()
            while ends < count:
                searched = max(0, len(received) - len(END) + 1)
                received += client.receive()
                ends += received.count(END, searched)
    except Late:
        pass  # shown by what has not arrived
    return received


def entries(count: int, clients: int) -> list[Entry]:
    """All of them with so many properties."""
    size = {"BENCH_COUNT": str(count)}
    what = f"{count:,} properties"
    measured = partial(measure, count, clients)
    ours = [
        Entry(f"{what}, {way}, {loop}", partial(serve, "burst", {**env, **size}), measured)
        for loop, env in loops().items()
        for way, serve in WAYS.items()
    ]
    if not has_indipydriver():
        return ours
    return [*ours, Entry(f"{what}, indipydriver in process", partial(in_process, size), measured, "in process")]


def growth(result: Result) -> str:
    """Time for each property: the same in all rows of a server, when time grows linearly."""
    return f"{median(result) / (result.expected / max(1, len(result.seconds))) * 1e6:.1f} µs"


def run(*, quick: bool) -> bool:
    """Print the table. False when one of ours did not define all."""
    clients, counts = (1, (100, 1000)) if quick else (3, (1000, 5000, 10_000, 20_000))
    by_count = [alternate(entries(count, clients), 1) for count in counts]
    results = [result for row in zip(*by_count, strict=True) for result in row]  # a server's sizes together
    columns: list[Column] = [("median", lambda result: duration(median(result))), ("each", growth), *USAGE]
    return show(f"burst: {clients} new clients, one after another", results, columns)
