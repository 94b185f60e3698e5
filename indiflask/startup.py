"""Starting a process of ours: its log, its event loop, and where its state lies."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Coroutine
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio

from indiflask.errors import IndiError
from indiflask.running.failures import leaf


def start_logging(level: str) -> None:
    """Log to stderr, where ``print`` of a driver goes too. Raises ValueError for an unknown level."""
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    if level.lower() not in levels:
        raise IndiError(f"no log level is called {level!r}; there are: {', '.join(levels)}")
    line = "%(asctime)s %(levelname)-7s %(message)s"
    logging.basicConfig(level=levels[level.lower()], format=line, datefmt="%H:%M:%S")


def run_on_loop(function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
    """``anyio.run`` on asyncio, with uvloop where it is installed."""
    options = {"use_uvloop": find_spec("uvloop") is not None}
    try:
        anyio.run(partial(function, *args), backend="asyncio", backend_options=options)
    except BaseExceptionGroup as group:  # task groups wrap what goes wrong in them
        cause = leaf(group)
        if isinstance(cause, IndiError):
            raise cause from group
        raise


def state_dir() -> Path:
    """Where settings lie: systemd's STATE_DIRECTORY, else ``$XDG_STATE_HOME/indiflask``."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.partition(":")[0])
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "indiflask"
