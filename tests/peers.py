"""Real programs, on free loopback ports, waited for by connecting and ended by their process ids.

libindi's tools (Debian's indi-bin) are clients that we did not write, its ``indiserver`` a server that we did not
write; ``indiflask`` itself is started as a user starts it, by its command.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HERE = "127.0.0.1"
ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
INDIFLASK = Path(sys.executable).with_name("indiflask")

READY_SECONDS = 20.0
"""For a program to listen: an import of everything on a slow machine."""
STOP_SECONDS = 10.0
"""For a program to end after SIGTERM: twice what a stop function may take."""
PAUSE_SECONDS = 0.02
"""Between two looks at a program that cannot tell when it is ready."""


@dataclass
class Program:
    """A process that was started here, with the port that it serves and all that it has said."""

    process: subprocess.Popen[bytes]
    port: int
    log: IO[bytes] = field(repr=False)

    @property
    def output(self) -> str:
        """What it wrote to stdout and stderr so far."""
        return os.pread(self.log.fileno(), os.fstat(self.log.fileno()).st_size, 0).decode(errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Its exit code, once it has ended by itself."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """End it as systemd does, by SIGTERM. Its exit code; TimeoutExpired if it goes on."""
        self.process.terminate()
        return self.wait()

    def wait_until_ready(self) -> None:
        """Return once its port takes connections. Fails, with its output, if it ends or is silent."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise AssertionError(f"ended with {self.process.returncode} before it served:\n{self.output}")
            try:
                with socket.create_connection((HERE, self.port), timeout=1):
                    return
            except OSError:
                time.sleep(PAUSE_SECONDS)
        raise AssertionError(f"did not serve port {self.port} within {READY_SECONDS} s:\n{self.output}")

    def wait_for_output(self, text: str, seconds: float = READY_SECONDS) -> None:
        """Return once it has written ``text``."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            if time.monotonic() > deadline:
                raise AssertionError(f"did not write {text!r} within {seconds} s, but:\n{self.output}")
            time.sleep(PAUSE_SECONDS)


Serving = AbstractContextManager[Program]
"""What the functions below give: a program for the time of a ``with``."""


def free_port() -> int:
    """A port that nobody listens on now. For programs that cannot be told to take a free one and say which."""
    with socket.create_server((HERE, 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def started(
    *command: str | Path, port: int = 0, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Program]:
    """Start a program; wait for its port, if it has one; end it, whatever happens."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd or ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        )
        program = Program(process, port, log)
        try:
            if port:
                program.wait_until_ready()
            yield program
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


@contextmanager
def indiflask_run(
    target: str | Path, *options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Program]:
    """``indiflask run TARGET`` on a free port."""
    port = free_port()
    with started(INDIFLASK, "run", target, "--port", str(port), *options, port=port, env=env, cwd=cwd) as program:
        yield program


@contextmanager
def indiserver(*drivers: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """libindi's server with these drivers: names on PATH such as ``indi_simulator_ccd``, or paths of executables."""
    port = free_port()
    # Its unix socket is abstract and has one name for all servers, unless told. No restarts: a crash must show.
    command = ["indiserver", "-v", "-r", "0", "-p", str(port), "-u", f"/tmp/indiserver-{port}", *map(str, drivers)]
    with started(*command, port=port, env=env) as program:
        yield program


def stdio_driver(folder: Path, target: str | Path, *, name: str = "") -> Path:
    """An executable in ``folder`` that runs ``indiflask stdio TARGET``, since indiserver gives drivers no arguments."""
    driver = folder / (name or f"indi_{Path(target).stem}")
    driver.write_text(f"#!/bin/sh\nexec '{INDIFLASK}' stdio '{target}'\n")
    driver.chmod(0o755)
    return driver


def indi_getprop(port: int, *patterns: str, seconds: float = 10, cwd: Path | None = None) -> dict[str, str]:
    """What Debian's ``indi_getprop`` prints for ``Device.PROPERTY.MEMBER`` patterns: name to value.

    It returns at once when each pattern without ``*`` is answered; a ``*`` keeps it for all of ``seconds``. BLOBs are
    saved in ``cwd``. Fails when a pattern is not answered.
    """
    result = tool("indi_getprop", port, *patterns, seconds=seconds, cwd=cwd)
    if result.returncode:
        raise AssertionError(f"indi_getprop {' '.join(patterns)}: {result.stderr or result.stdout}")
    # A value may have line breaks of its own; a line that names no property belongs to the one before.
    values: dict[str, str] = {}
    name = ""
    for line in result.stdout.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.count(".") >= 2:
            name = key
            values[name] = value
        elif name:
            values[name] += "\n" + line
    return values


def indi_setprop(port: int, *specs: str, kind: str = "", seconds: float = 10) -> None:
    """Set ``Device.PROPERTY.MEMBER=value`` with Debian's ``indi_setprop``. Fails when it says that it failed.

    ``kind`` is "x" (Text), "n" (Number) or "s" (Switch): sent as such, without asking for the definition first.
    """
    result = tool("indi_setprop", port, *([f"-{kind}"] if kind else []), *specs, seconds=seconds)
    if result.returncode:
        raise AssertionError(f"indi_setprop {' '.join(specs)}: {result.stderr or result.stdout}")


def indi_eval(port: int, expression: str, *, seconds: float = 10) -> None:
    """Wait until Debian's ``indi_eval`` finds this true: ``"Garden.LED._STATE" == 1``. Fails after ``seconds``.

    States are numbers there: 0 Idle, 1 Ok, 2 Busy, 3 Alert; a switch is 0 or 1.
    """
    result = tool("indi_eval", port, "-w", expression, seconds=seconds)
    if result.returncode:
        raise AssertionError(f"not true within {seconds} s: {expression}; {result.stderr or result.stdout}")


def tool(
    name: str, port: int, *arguments: str, seconds: float, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of libindi's tools with a time limit of its own and, in case it does not keep that, one of ours."""
    return subprocess.run(
        [name, "-h", HERE, "-p", str(port), "-t", str(int(seconds)), *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + 10,
        cwd=cwd,
        check=False,
    )
