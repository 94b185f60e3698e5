"""Each example is served twice: by us, and by libindi's server with the example as its driver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers import EXAMPLES, Program

Serve = Callable[[str], Program]
"""Serves ``"led.py"`` or ``"supply.py:supply"``, with settings of its own that last for the test."""


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """An environment in which everything that is saved lies in the test's own folder."""
    return {"STATE_DIRECTORY": str(tmp_path / "state"), "HOME": str(tmp_path)}


@pytest.fixture(params=["indiflask run", "indiserver"])
def serve(
    request: pytest.FixtureRequest,
    settings: dict[str, str],
    indiflask_run: StartServer,
    indiserver: StartServer,
    stdio_driver: Callable[[str | Path], Path],
) -> Serve:
    """By both servers, one test each."""

    def start(target: str) -> Program:
        path = f"{EXAMPLES}/{target}"
        if request.param == "indiflask run":
            return indiflask_run(path, env=settings)
        return indiserver(stdio_driver(path), env=settings)

    return start


@pytest.fixture
def serve_ourselves(settings: dict[str, str], indiflask_run: StartServer) -> Serve:
    """By ``indiflask run`` alone, for what takes seconds and does not depend on who serves."""
    return lambda target: indiflask_run(f"{EXAMPLES}/{target}", env=settings)
