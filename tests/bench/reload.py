"""How long from saving a driver's file until a client that stays connected has its new property."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.client import Client, Late
from tests.bench.machine import cpu_seconds, peak_memory
from tests.bench.report import USAGE, Column, duration, median, show
from tests.bench.runs import Result, Round
from tests.bench.servers import Env, loops
from tests.peers import INDIFLASK, indiflask_run

SOURCE = '''"""Saved again and again, each time with another property."""

from indiflask import App

app = App("Bench")


@app.switch("P{number}", when="always")
async def switched(V: bool) -> None:
    """Does nothing."""
'''
QUIET_SECONDS = 1.0
"""Between the last definition and the next save: who is still busy with the last reload is not measured."""


def can_reload() -> bool:
    """Whether the command has the option at all."""
    told = subprocess.run([INDIFLASK, "run", "--help"], capture_output=True, text=True, check=True)
    return "--reload" in told.stdout


def save(path: Path, number: int) -> None:
    """As editors do: written beside it, and moved over it."""
    beside = path.with_suffix(".new")
    beside.write_text(SOURCE.format(number=number))
    beside.replace(path)


def definition(number: int) -> re.Pattern[bytes]:
    return re.compile(rf"<defSwitchVector(?=[^>]*\bname=.P{number}\W).*?</defSwitchVector>".encode(), re.DOTALL)


def reloads(client: Client, path: Path, rounds: int) -> Round:
    """So many saves, each one after the definition that the save before brought."""
    seconds: list[float] = []
    client.ask()
    try:
        client.wait_for(definition(0))
        for number in range(1, rounds + 1):
            time.sleep(QUIET_SECONDS)
            start = time.perf_counter()
            save(path, number)
            client.wait_for(definition(number))
            seconds.append(time.perf_counter() - start)
    except Late:
        pass  # shown by what has not arrived
    return Round(seconds, rounds, len(seconds))


def measure(name: str, env: Env, rounds: int) -> Result:
    """One server, one client, so many saves."""
    result = Result(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.py"
        save(path, 0)
        with indiflask_run(path, "--reload", env=env) as program, Client(program.port) as client:
            before = cpu_seconds(program.process.pid)
            turn = reloads(client, path, rounds)
            result.add(turn, cpu_seconds(program.process.pid) - before)
            result.peak = peak_memory(program.process.pid)
    return result


def run(*, quick: bool) -> bool:
    """Print the table. False when a new property did not come. No peer reloads, so there is no ratio."""
    if not can_reload():
        print("\n### reload\n\nNot measured: this `indiflask run` has no option --reload.")
        return True
    rounds = 2 if quick else 10
    results = [measure(f"indiflask run --reload, {loop}", env, rounds) for loop, env in loops().items()]
    times: list[Column] = [
        ("median", lambda result: duration(median(result))),
        ("slowest", lambda result: duration(max(result.seconds, default=float("nan")))),
    ]
    return show(f"reload: median of {rounds}, from save to the new definition", results, [*times, *USAGE])
