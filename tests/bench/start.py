"""How long from the command until a client has the first definition, and where that time goes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from functools import partial

from tests.bench.client import Client, Late
from tests.bench.machine import cpu_seconds, peak_memory
from tests.bench.report import USAGE, Column, duration, median, ratios, show
from tests.bench.runs import Result, Round
from tests.bench.servers import DRIVERS, Env, loops
from tests.peers import INDIFLASK, free_port, started

DEFINED = re.compile(rb"<def(Switch|Text|Number)Vector.*?</def\1Vector>", re.DOTALL)
PAUSE_SECONDS = 0.001
"""Between two attempts to connect: how exact the figure is."""
CONNECT_SECONDS = 20.0
DRIVER = str(DRIVERS / "switch.py")
COMMANDS = {
    "indiflask run": [str(INDIFLASK), "run", DRIVER, "--port"],
    "app.run()": [sys.executable, DRIVER],
}
PARTS = {
    "  of which: Python itself": "pass",
    "  of which: Python and `import indiflask`": "import indiflask",
    "  of which: Python and asyncio, anyio": "import asyncio, anyio",
    "  of which: Python and all of `indiflask run`": "import indiflask.cli, indiflask.serving",
}


def connected(port: int) -> Client:
    """A client, as soon as somebody listens. Raises `Late`."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while time.monotonic() < deadline:
        try:
            return Client(port)
        except ConnectionRefusedError:
            time.sleep(PAUSE_SECONDS)
    raise Late


def defined(port: int) -> int:
    """How many definitions a client got that waits for one: 1 or 0."""
    try:
        with connected(port) as client:
            client.ask("Bench")
            client.wait_for(DEFINED)
    except Late:
        return 0
    return 1


def serve_once(result: Result, command: list[str], env: Env) -> None:
    """Start, wait for the first definition, end."""
    port = free_port()
    if command[-1] == "--port":
        command = [*command, str(port)]
    start = time.perf_counter()
    with started(*command, env={**env, "BENCH_PORT": str(port)}) as program:
        got = defined(port)
        turn = Round([time.perf_counter() - start], 1, got)
        result.add(turn, cpu_seconds(program.process.pid))
        result.peak = max(result.peak, peak_memory(program.process.pid))


def import_once(result: Result, statement: str) -> None:
    """What a part of the start takes by itself."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    result.add(Round([time.perf_counter() - start], 1, 1), 0)


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
