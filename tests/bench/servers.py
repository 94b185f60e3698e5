"""The servers that take part: indiflask in its two ways, with and without uvloop, and the peers."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from tests.bench.machine import family
from tests.peers import Program, free_port, indiflask_run, indiserver, started

DRIVERS = Path(__file__).parent / "drivers"
HIDDEN = str(DRIVERS / "without_uvloop")

Serve = Callable[[], AbstractContextManager[Program]]
Env = Mapping[str, str]
"""What a child's environment has beyond ours."""


def loops() -> dict[str, Env]:
    """The event loops that can be tried, by name, with the environment that makes a child use it."""
    path = os.pathsep.join(filter(None, [HIDDEN, os.environ.get("PYTHONPATH")]))
    plain: dict[str, Env] = {"asyncio": {"PYTHONPATH": path}}
    if find_spec("uvloop") is None:
        print("uvloop is not installed: only asyncio is measured")
        return plain
    return {"uvloop": {}, **plain}


def has_indipydriver() -> bool:
    """Whether requirements.txt is installed, without which ours are measured alone."""
    if find_spec("indipydriver") and find_spec("indipyserver"):
        return True
    print("indipydriver and indipyserver are not installed: see tests/bench/requirements.txt")
    return False


def app_run(driver: str, env: Env) -> AbstractContextManager[Program]:
    """``python driver.py``, which calls ``app.run()``."""
    return script(DRIVERS / f"{driver}.py", env)


def command_run(driver: str, env: Env) -> AbstractContextManager[Program]:
    """``indiflask run driver.py``."""
    return indiflask_run(DRIVERS / f"{driver}.py", env=env)


WAYS: dict[str, Callable[[str, Env], AbstractContextManager[Program]]] = {
    "app.run()": app_run,
    "indiflask run": command_run,
}


def in_process(env: Env | None = None) -> AbstractContextManager[Program]:
    """indipydriver, served by indipyserver in the same process."""
    return script(DRIVERS / "peer.py", env or {})


@contextmanager
def external() -> Iterator[Program]:
    """indipydriver as a process of its own, started by indipyserver, which leaves it behind: it is ended here."""
    driver: list[int] = []
    try:
        with script(DRIVERS / "peer.py", {"BENCH_EXTERNAL": "1"}) as program:
            try:
                yield program
            finally:
                driver = family(program.process.pid)[1:]
    finally:
        for pid in driver:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def script(path: Path, env: Env) -> Iterator[Program]:
    port = free_port()
    with started(sys.executable, path, port=port, env={**env, "BENCH_PORT": str(port)}) as program:
        yield program


@contextmanager
def telescope() -> Iterator[Program]:
    """libindi's own, in a home of its own, so that no settings of the user's are loaded or saved."""
    with tempfile.TemporaryDirectory() as home, indiserver("indi_simulator_telescope", env={"HOME": home}) as program:
        yield program
