"""How long a switch takes: from a client's request until it has the answer, one request after another."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial

from tests.bench.client import Client, Late
from tests.bench.report import USAGE, duration, median, percentile, ratios, show
from tests.bench.runs import Entry, Round, alternate
from tests.bench.servers import WAYS, external, has_indipydriver, in_process, loops, telescope

WARM_UP = 20
"""Requests before the clock counts: imports and caches, and threads that start on first use."""


@dataclass(frozen=True)
class Switch:
    """What is asked for in turn: (member, value) twice, both of which change something."""

    device: str
    name: str
    turns: tuple[tuple[str, str], tuple[str, str]] = (("V", "On"), ("V", "Off"))

    def request(self, member: str, value: str) -> bytes:
        one = f'<oneSwitch name="{member}">{value}</oneSwitch>'
        return f'<newSwitchVector device="{self.device}" name="{self.name}">{one}</newSwitchVector>\n'.encode()

    def answer(self, member: str, value: str) -> re.Pattern[bytes]:
        """A set of this property that is not Busy any more and says the value that was asked for."""
        tag = rf"<setSwitchVector(?=[^>]*\bname=.{self.name}\W)(?![^>]*\bstate=.Busy)[^>]*>"
        one = rf"(?:(?!</setSwitch).)*?<oneSwitch name=.{member}\W>\s*{value}\s*<.*?</setSwitchVector>"
        return re.compile((tag + one).encode(), re.DOTALL)

    def definition(self) -> re.Pattern[bytes]:
        return re.compile(rf"<defSwitchVector(?=[^>]*\bname=.{self.name}\W).*?</defSwitchVector>".encode(), re.DOTALL)


AWAITED = Switch("Bench", "AWAITED")
CALLED = Switch("Bench", "CALLED")
COORD = Switch("Telescope Simulator", "ON_COORD_SET", (("SLEW", "On"), ("TRACK", "On")))
CONNECTION = Switch("Telescope Simulator", "CONNECTION")


def measure(switch: Switch, count: int, port: int) -> Round:
    """So many round trips by a new client."""
    seconds: list[float] = []
    steps = [(switch.request(*turn), switch.answer(*turn)) for turn in switch.turns]
    try:
        with Client(port) as client:
            client.ask()
            if switch is COORD:  # defined when the telescope is connected
                client.wait_for(CONNECTION.definition())
                client.send(CONNECTION.request("CONNECT", "On"))
            client.wait_for(switch.definition())
            for number in range(WARM_UP + count):
                request, answer = steps[number % 2]
                start = time.perf_counter()
                client.send(request)
                client.wait_for(answer)
                seconds.append(time.perf_counter() - start)
    except Late:
        pass  # shown by what has not arrived
    timed = seconds[WARM_UP:]
    return Round(timed, count, len(timed))


def ours(count: int) -> list[Entry]:
    return [
        Entry(f"{way}, {how}, {loop}", partial(serve, "switch", env), partial(measure, switch, count))
        for loop, env in loops().items()
        for way, serve in WAYS.items()
        for how, switch in (("async def", AWAITED), ("def", CALLED))
    ]


def peers(count: int) -> list[Entry]:
    named = partial(measure, AWAITED, count)
    libindi = Entry("indi_simulator_telescope, indiserver", telescope, partial(measure, COORD, count), "indiserver")
    if not has_indipydriver():
        return [libindi]
    return [
        libindi,
        Entry("indipydriver in process, indipyserver", in_process, named, "in process"),
        Entry("indipydriver as external driver, indipyserver", external, named, "external"),
    ]


def run(*, quick: bool) -> bool:
    """Print the table. False when one of ours lost a message."""
    rounds, count = (2, 20) if quick else (5, 400)
    results = alternate([*ours(count), *peers(count)], rounds)
    times = [
        ("median", lambda result: duration(median(result))),
        ("p99", lambda result: duration(percentile(result, 99))),
    ]
    return show(f"switch: {rounds} × {count} round trips", results, [*times, *ratios(results), *USAGE])
