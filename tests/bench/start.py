"""How long from the command until a client has the first definition, and where that time goes."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from functools import partial

from tests.bench.client import first_definition
from tests.bench.machine import cpu_seconds, peak_memory
from tests.bench.report import USAGE, Column, duration, median, ratios, show
from tests.bench.runs import Result, Round
from tests.bench.servers import DRIVERS, Env, has_indipydriver, loops
from tests.peers import HERE, INDIFLASK, free_port, started

PAUSE_SECONDS = 0.001
"""Between two attempts to connect: how exact the figure is."""
CONNECT_SECONDS = 20.0
DRIVER = str(DRIVERS / "switch.py")
COMMANDS = {
    "indiflask run": [str(INDIFLASK), "run", DRIVER, "--port"],
    "app.run()": [sys.executable, DRIVER],
}
PARTS = {
    "of which: Python itself": "pass",
    "of which: Python and asyncio, anyio": "import asyncio, anyio",
    "of which: Python and `from indiflask import App`": "from indiflask import App",
    "of which: Python and all that the hub imports": "import indiflask.cli, indiflask.supervising",
    "of which: Python and all that a driver imports": "import indiflask.child",
}


def wait_until_listening(port: int) -> None:
    """Return once somebody listens, or after so long that the client's failure shall tell."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection((HERE, port)).close()
        except ConnectionRefusedError:
            time.sleep(PAUSE_SECONDS)
        else:
            return


def serve_once(result: Result, command: list[str], env: Env) -> None:
    """Start, wait for the first definition, end."""
    port = free_port()
    if command[-1] == "--port":
        command = [*command, str(port)]
    start = time.perf_counter()
    with started(*command, env={**env, "BENCH_PORT": str(port)}) as program:
        wait_until_listening(port)
        got = first_definition(port)
        turn = Round([time.perf_counter() - start], 1, int(got))
        result.add(turn, cpu_seconds(program.process.pid))
        result.peak = max(result.peak, peak_memory(program.process.pid))


def import_once(result: Result, statement: str) -> None:
    """What a part of the start takes by itself."""
    before = ended_cpu_seconds()
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    turn = Round([time.perf_counter() - start], 1, 1)
    result.add(turn, ended_cpu_seconds() - before)


def ended_cpu_seconds() -> float:
    """Of our own children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def steps() -> list[tuple[Result, partial[None]]]:
    """What is done in each round, with where its figures go."""
    found: list[tuple[Result, partial[None]]] = []
    for loop, env in loops().items():
        for name, command in COMMANDS.items():
            result = Result(f"{name}, {loop}")
            found.append((result, partial(serve_once, result, command, env)))
    for name, statement in PARTS.items():
        result = Result(name)
        found.append((result, partial(import_once, result, statement)))
    if not has_indipydriver():
        return found
    peer = Result("indipydriver in process, indipyserver", "in process")
    return [*found, (peer, partial(serve_once, peer, [sys.executable, str(DRIVERS / "peer.py")], {}))]


def run(*, quick: bool) -> bool:
    """Print the table. False when one of ours did not define anything."""
    rounds = 2 if quick else 10
    todo = steps()
    for _ in range(rounds):
        for _, step in todo:
            step()
    results = [result for result, _ in todo]
    times: list[Column] = [
        ("median", lambda result: duration(median(result))),
        ("slowest", lambda result: duration(max(result.seconds))),
    ]
    return show(f"start: median of {rounds}, to the first definition", results, [*times, *ratios(results), *USAGE])
