"""``--reload``: a save of a file that the target may be made of loads it anew."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import anyio
from watchfiles import Change, DefaultFilter, awatch

from indiflask.errors import TargetError
from indiflask.links.child import Child

log = logging.getLogger("indiflask")

QUIET_MS = 50
"""Saving is several changes to a watcher: a file made empty, written, renamed. They are one after so much quiet."""

PAUSE_SECONDS = 1.0
"""Between two reloads: an editor that saves at each key stroke makes one a second."""

IGNORED = (
    *(".venv", "venv", "site-packages", ".git", "node_modules", "__pycache__"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"),
)


class _Sources(DefaultFilter):
    """Python files, but not those of environments and tools that lie in the folders."""

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(ignore_dirs=IGNORED)
        self._folders = folders

    def __call__(self, change: Change, path: str) -> bool:
        inside = [Path(path).relative_to(one) for one in self._folders if Path(path).is_relative_to(one)]
        return path.endswith(".py") and any(super(_Sources, self).__call__(change, str(one)) for one in inside)


def file_of(target: str) -> Path:
    """Where a target's source is expected; there may be none."""
    place = target.rpartition(":")[0] or target
    if not place.endswith(".py") and "/" not in place:
        place = f"{place.replace('.', '/')}.py"
    return Path(place).resolve()


def folder_of(target: str) -> Path:
    """The folder that a target's file lies in; the current one of a module. Raises TargetError if there is none."""
    place = target.rpartition(":")[0] or target
    if not place.endswith(".py") and "/" not in place:
        return Path.cwd()
    folder = Path(place).resolve().parent
    if not folder.is_dir():
        raise TargetError(f"{target}: there is no folder {folder}")
    return folder


class Watcher:
    """Reloads a child at each save in the folders. ``others`` are the files of other targets, which it may import."""

    def __init__(self, child: Child, folders: Sequence[Path], others: Collection[Path]) -> None:
        self._child = child
        self._others = frozenset(others)
        self._folders = [folder.resolve() for folder in folders]
        self._saved: set[Path] = set()
        """Since the last reload."""
        self._save = anyio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        log.info("%s is loaded anew when a file changes in %s", self._child.name, ", ".join(map(str, self._folders)))
        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts each change aloud
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect)
            due = anyio.current_time()
            while True:
                await self._save.wait()
                await anyio.sleep_until(due)  # what is saved meanwhile is in the same reload
                self._save = anyio.Event()
                if self._reload():
                    due = anyio.current_time() + PAUSE_SECONDS

    async def _collect(self) -> None:
        """Note what is saved. The thread that waits for it hears of a cancellation by an event."""
        stop = anyio.Event()
        watching = awatch(
            *self._folders,
            watch_filter=_Sources(self._folders),
            step=QUIET_MS,
            debounce=4 * QUIET_MS,
            stop_event=stop,
            ignore_permission_denied=True,
        )
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_set_when_cancelled, stop)
                async for changes in watching:
                    saved = {Path(path) for _, path in changes} - (self._others - self._child.imports)
                    self._saved |= saved
                    if saved:
                        self._save.set()
        except* (OSError, RuntimeError) as errors:
            log.error("no save is noticed any more: %s", errors.exceptions[0])

    def _reload(self) -> bool:
        """Unless a file does not compile: the child would only end."""
        if broken := _first_error(self._saved):
            goes_on = "the version before goes on" if self._child.running else "nothing is loaded"
            log.error("%s: %s\n  %s", self._child.name, broken, goes_on)
            self._child.tell(f"{self._child.name}: {broken}; {goes_on}")
            return False
        log.info("%s: loading it anew", self._child.name)
        self._child.reload()
        self._saved.clear()
        return True


async def _set_when_cancelled(event: anyio.Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        event.set()


def _first_error(files: Collection[Path]) -> str:
    """Where a file does not compile, and why; empty if all do, or are gone."""
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
