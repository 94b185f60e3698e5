"""``--reload``: a save of a file that the target may be made of loads it anew."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import anyio
from watchfiles import Change, DefaultFilter, awatch

from indiflask.links.child import Child

log = logging.getLogger("indiflask")

QUIET_MS = 50
"""Saving is several changes to a watcher: a file made empty, written, renamed. They are one after so much quiet."""

PAUSE_SECONDS = 1.0
"""Between two reloads: an editor that saves at each key stroke makes one a second."""

IGNORED = (".venv", "venv", ".git", "node_modules", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")


class _Sources(DefaultFilter):
    """Python files, but not those of environments and tools."""

    def __init__(self) -> None:
        super().__init__(ignore_dirs=IGNORED)

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith(".py") and super().__call__(change, path)


def folder_of(target: str) -> Path:
    """The folder that a target's file lies in; the current one of a module that is not there yet."""
    place = target.rpartition(":")[0] or target
    if place.endswith(".py") or "/" in place:
        return Path(place).resolve().parent
    return Path.cwd()


async def watch(child: Child, folders: Sequence[Path]) -> None:
    """Reload the child at each save, until cancelled."""
    log.info("%s is loaded anew when a file changes in %s", child.name, ", ".join(map(str, folders)))
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts each change aloud
    last = -PAUSE_SECONDS
    waiting: set[Path] = set()
    async for changes in awatch(*folders, watch_filter=_Sources(), step=QUIET_MS, debounce=4 * QUIET_MS):
        waiting |= {Path(path) for _, path in changes}
        if broken := _first_error(waiting):
            log.error("%s\n  the version before goes on", broken)
            child.tell(f"{child.name}: {broken}; the version before goes on")
            continue
        await anyio.sleep(max(0, last + PAUSE_SECONDS - anyio.current_time()))
        if broken := _first_error(waiting):  # it was saved again meanwhile
            continue
        last = anyio.current_time()
        log.info("%s: loading it anew", child.name)
        child.reload()
        waiting.clear()


def _first_error(files: Collection[Path]) -> str:
    """Where a file does not compile, and why; empty if all do."""
    for file in sorted(files):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(importlib.util.decode_source(file.read_bytes()), str(file), "exec", dont_inherit=True)
        except FileNotFoundError:
            continue
        except SyntaxError as error:
            return f"{file.name}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
        except (ValueError, OSError) as error:
            return f"{file.name}: {error}"
    return ""
