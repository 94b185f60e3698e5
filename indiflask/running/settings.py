"""``save=True``: what was last asked for and ended Ok is written to a file, and given again at connect."""

from __future__ import annotations

import json
import logging
import math
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio

from indiflask.errors import Reject
from indiflask.protocol.messages import Kind
from indiflask.running.live import Live, Request
from indiflask.running.pending import Pending
from indiflask.values import Value, Values

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner

log = logging.getLogger(__name__)

WRITE_AFTER = 1.0
"""Seconds from a change to the file, so that a slider that is dragged is one write: SD cards wear out."""

Saved = dict[str, dict[str, Any]]
"""Property names to member names to values, as JSON has them."""


def file_for(folder: Path, device: str) -> Path:
    """The settings file of a device: its name, with what a file system may not like quoted."""
    return folder / f"{quote(device, safe=' ')}.json"


class Settings:
    """One device's saved values. The file is read at the first use, and written in a thread."""

    def __init__(self, runner: DeviceRunner, path: Path) -> None:
        self._runner = runner
        self._path = path
        self._saved: Saved | None = None
        self._dirty = False
        self._scheduled = False
        self._writing = anyio.Lock()

    # --- remembering ---

    def remember(self, live: Live, asked: Values) -> None:
        """A request ended Ok. Written later, once, and only if it changed something."""
        saved = self._load()
        if saved.get(live.name) == asked:
            return
        saved[live.name] = dict(asked)
        self._dirty = True
        if not self._scheduled:
            self._scheduled = True
            self._runner.start_soon(self._write_later)

    async def _write_later(self) -> None:
        await anyio.sleep(WRITE_AFTER)
        self._scheduled = False
        await self.flush()

    async def flush(self) -> None:
        """Write what has changed, now. What goes wrong is logged and told, and tried again with the next change."""
        try:
            await self._save()
        except OSError as error:
            log.error("settings of %s cannot be written: %s", self._runner.name, error)
            self._runner.message(f"settings cannot be saved: {error}")

    async def _save(self) -> None:
        async with self._writing:  # one after the other: the newest stays
            if not self._dirty:
                return
            self._dirty = False
            text = json.dumps(self._load(), indent=1, ensure_ascii=False)
            try:
                await anyio.to_thread.run_sync(_write, self._path, text)
            except OSError:
                self._dirty = True
                raise

    def _load(self) -> Saved:
        if self._saved is None:
            self._saved = _read(self._path)
        return self._saved

    # --- giving again ---

    async def give_again(self, lives: Sequence[Live]) -> list[str]:
        """Ask for what was saved, through the checks, in order of declaration; what was refused, in words."""
        refused = []
        for live in lives:
            if live.prop.declaration.conduct.save:
                saved = self._load().get(live.name)
                if saved is not None and (why := await self._give(live, saved)):
                    refused.append(f"{live.name}: {why}")
        return refused

    async def _give(self, live: Live, values: Values, *, keep: bool = False) -> str:
        """Ask for these values, outside the queue; ``keep`` them as asked for. What was refused, in words."""
        pending = Pending(f"giving {live.path} again")
        try:
            fitting = {name: _fitting(live, name, value) for name, value in values.items()}
            await self._runner.queue.start(Request(live, fitting, pending, restoring=not keep))
            if not live.busy:
                await pending
        except Reject as reject:
            log.warning("%s is not given its saved value again: %s", live.path, reject)
            return str(reject)
        return ""

    # --- CONFIG_PROCESS ---

    async def _save_now(self) -> None:
        try:
            await self._save()
        except OSError as error:
            raise Reject(f"settings cannot be saved: {error}") from error

    async def process(self, choice: str) -> None:
        """What CONFIG_PROCESS asks for. Raises Reject with what could not be given."""
        refused: list[str] = []
        lives = [live for live in self._runner.lives.values() if live.prop.declaration.conduct.save]
        match choice:
            case "CONFIG_SAVE":
                await self._save_now()
            case "CONFIG_LOAD":
                refused = await self.give_again(lives)
            case "CONFIG_DEFAULT":
                for live in lives:
                    if why := await self._give(live, live.prop.declaration.first, keep=True):
                        refused.append(f"{live.name}: {why}")
            case "CONFIG_PURGE":
                self._saved, self._dirty = {}, False
                await anyio.Path(self._path).unlink(missing_ok=True)
        if refused:
            raise Reject("; ".join(refused))


def _fitting(live: Live, name: str, value: object) -> Value:
    """A value from the file, if it is of the member's kind. Raises Reject: the file may be of an older version."""
    definition = live.prop.definition
    if name not in definition.names:
        raise Reject(f"there is no member {name!r} any more")
    match definition.kind, value:
        case Kind.SWITCH, bool(flag):
            return flag
        case Kind.TEXT, str(text):
            return text
        case Kind.NUMBER, (int() | float()) as number if not isinstance(number, bool) and math.isfinite(number):
            return float(number)
    raise Reject(f"{name} was saved as {value!r}")


def _read(path: Path) -> Saved:
    try:
        saved = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        kept = path.with_suffix(".unreadable")
        log.error("settings in %s cannot be read: %s; kept as %s", path, error, kept.name)
        with suppress(OSError):  # it stays where it is then
            path.replace(kept)
        return {}
    if not isinstance(saved, dict):
        log.error("settings in %s are no table of properties; ignored", path)
        return {}
    return {name: values for name, values in saved.items() if isinstance(values, dict)}


def _write(path: Path, text: str) -> None:
    """Atomically: whatever happens, the file is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
