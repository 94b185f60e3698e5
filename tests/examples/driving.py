"""What the examples' tests say to a server by libindi's tools, and what they wait to hear."""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.peers import HERE, PAUSE_SECONDS, indi_eval, indi_getprop, indi_setprop

IDLE, OK, BUSY, ALERT = 0, 1, 2, 3
"""A state as ``indi_eval`` reads it."""

PATIENCE = 8.0
"""Seconds for what a test asked to come true: four times the slowest example's movement."""

Value = str | float | tuple[float, float]
"""What a member must say: a text, a number, or a range of numbers for what nobody can tell exactly."""


def agrees(said: str, wanted: Value) -> bool:
    """Whether what a client was told is what it should have been told."""
    if isinstance(wanted, str):
        return said == wanted
    try:
        number = float(said)
    except ValueError:
        return False
    if isinstance(wanted, tuple):
        return wanted[0] <= number <= wanted[1]
    return math.isclose(number, wanted, abs_tol=1e-9)


def expect(port: int, wanted: Mapping[str, Value], seconds: float = PATIENCE) -> None:
    """Wait until ``indi_getprop`` prints these: ``{"Camera.CCD_GAIN.GAIN": 10, "Camera.CCD_GAIN._STATE": "Ok"}``."""
    deadline = time.monotonic() + seconds
    while True:
        said = indi_getprop(port, *wanted)
        wrong = {name: said[name] for name, value in wanted.items() if not agrees(said[name], value)}
        if not wrong:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: { ({name: wanted[name] for name in wrong}) }, but {wrong}")
        time.sleep(PAUSE_SECONDS)


def ask(port: int, vector: str, members: Mapping[str, object]) -> None:
    """Send the members of ``"Camera.CCD_FRAME"`` in one request."""
    indi_setprop(port, f"{vector}.{';'.join(members)}={';'.join(map(str, members.values()))}")


def connect(port: int, device: str) -> None:
    """CONNECT, and wait until it is connected."""
    indi_eval(port, f'"{device}.CONNECTION.DISCONNECT" == 1')
    ask(port, f"{device}.CONNECTION", {"CONNECT": "On"})
    indi_eval(port, f'"{device}.CONNECTION.CONNECT" == 1 && "{device}.CONNECTION._STATE" == {OK}')


def becomes_true(port: int, expression: str, seconds: float) -> bool:
    """Whether ``indi_eval`` finds this true within some time: for what must not happen.

    Its own time limit begins anew with each message that it gets, so it is given ours. (And it knows no expression
    that names a member twice: it waits for ever.)
    """
    command = ["indi_eval", "-h", HERE, "-p", str(port), "-t", "60", "-w", expression]
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until_ended(pids: list[int], seconds: float = PATIENCE) -> None:
    """Wait until none of these processes runs. A zombie has ended: who collects it is not our business."""
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if _runs(pid)]:
        if time.monotonic() > deadline:
            raise AssertionError(f"still running after {seconds} s: {left}")
        time.sleep(PAUSE_SECONDS)


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
