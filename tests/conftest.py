"""What all tests share: both backends, and servers that are ended after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests import peers


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Each ``pytestmark = pytest.mark.anyio`` test runs on both."""
    backend: str = request.param
    return backend


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    """Closed after the test, the last one first."""
    with ExitStack() as stack:
        yield stack


class StartServer(Protocol):
    """Start it with these targets; it is ended after the test."""

    def __call__(self, *targets: str | Path, env: Mapping[str, str] | None = None) -> peers.Program: ...


@pytest.fixture
def indiserver(cleanup: ExitStack) -> StartServer:
    """libindi's server: ``indiserver("indi_simulator_ccd", path)``."""

    def start(*targets: str | Path, env: Mapping[str, str] | None = None) -> peers.Program:
        return cleanup.enter_context(peers.indiserver(*targets, env=env))

    return start


@pytest.fixture
def indiflask_run(cleanup: ExitStack, tmp_path: Path) -> StartServer:
    """Ours: ``indiflask_run(EXAMPLES / "led.py", "--log-level", "debug")``, with settings of its own."""

    def start(*targets: str | Path, env: Mapping[str, str] | None = None) -> peers.Program:
        target, *options = targets
        state = {"STATE_DIRECTORY": str(tmp_path / "state"), **(env or {})}
        return cleanup.enter_context(peers.indiflask_run(target, *map(str, options), env=state))

    return start


@pytest.fixture
def stdio_driver(tmp_path: Path) -> Callable[[str | Path], Path]:
    """A target as an executable that indiserver can start: ``indiserver(stdio_driver(EXAMPLES / "led.py"))``."""
    return lambda target: peers.stdio_driver(tmp_path, target)
