"""How long it takes until a client has many values, each of which is published once and must not be lost."""

from __future__ import annotations

import re
import time
from functools import partial

from tests.bench.client import RUN_SECONDS, Client, Late
from tests.bench.report import USAGE, Column, duration, median, ratios, show
from tests.bench.runs import Entry, Round, alternate
from tests.bench.servers import WAYS, has_indipydriver, in_process, loops

VALUE = re.compile(rb">\s*(\d{6})x")
TAIL = 200
"""Bytes before a piece in which a value may have begun."""


def measure(name: str, count: int, port: int) -> Round:
    """A new client asks for so many values, and counts the different ones that come."""
    one = f'<oneNumber name="V">{count}</oneNumber>'
    request = f'<newNumberVector device="Bench" name="{name}">{one}</newNumberVector>\n'
    with Client(port) as client:
        client.ask()
        client.wait_for(re.compile(rb"<defTextVector.*?</defTextVector>", re.DOTALL))
        start = time.perf_counter()
        client.send(request.encode())
        received = until(client, re.compile(rf">\s*{count - 1:06d}x".encode()))
        taken = time.perf_counter() - start
    return Round([min(taken, RUN_SECONDS)], count, len(set(VALUE.findall(received))))


def until(client: Client, last: re.Pattern[bytes]) -> bytearray:
    """All that comes up to the last value, or until the run's time is up."""
    received = bytearray()
    try:
        while True:
            piece = client.receive()
            searched = max(0, len(received) - TAIL)
            received += piece
            if last.search(received, searched):
                return received
    except Late:
        return received  # shown by what has not arrived


def entries(count: int) -> list[Entry]:
    """Ours from the event loop and from a thread, and indipydriver, whose code runs on the event loop only."""
    ours = [
        Entry(f"{way}, {how}, {loop}", partial(serve, "publish", env), partial(measure, name, count))
        for loop, env in loops().items()
        for way, serve in WAYS.items()
        for how, name in (("event loop", "AWAITED"), ("thread", "CALLED"))
    ]
    if not has_indipydriver():
        return ours
    peer = "indipydriver in process, indipyserver"
    return [*ours, Entry(peer, in_process, partial(measure, "PUBLISH", count), "in process")]


def run(*, quick: bool) -> bool:
    """Print the table. False when one of ours lost a value."""
    rounds, count = (1, 1000) if quick else (3, 50_000)
    results = alternate(entries(count), rounds)
    times: list[Column] = [
        ("median", lambda result: duration(median(result))),
        ("values/s", lambda result: f"{count / median(result):,.0f}"),
    ]
    return show(f"publish: {rounds} × {count:,} values", results, [*times, *ratios(results), *USAGE])
