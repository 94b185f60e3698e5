"""``indiflask run``: the hub and its clients in this process, each app and driver in its own. No app is imported."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from indiflask.errors import IndiError
from indiflask.hub import Hub
from indiflask.links.child import Child, Command
from indiflask.links.driver import Driver
from indiflask.links.listener import serve
from indiflask.links.requests import RequestLog
from indiflask.links.supervised import Patience, Supervised
from indiflask.startup import state_dir
from indiflask.summary import summary

log = logging.getLogger("indiflask")


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, where and how."""

    targets: Sequence[str]
    host: str = "127.0.0.1"
    port: int = 7624
    log_level: str = "info"
    patience: Patience = field(default_factory=Patience)
    reload: bool = False
    reload_dirs: Sequence[Path] = ()


async def serve_children(serving: Serving) -> None:
    """Serve until a signal, or until all targets have been given up: raises IndiError then."""
    requests = RequestLog()
    hub = Hub(requests.journal)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(requests.keep_writing)
        names = _names(serving.targets)
        children = [_supervised(hub, target, name, serving) for target, name in names.items()]
        await tasks.start(_stop_on_signal, children)  # before anybody can see that it serves
        address = await tasks.start(partial(serve, hub, serving.host, serving.port))
        if serving.reload:
            for child, target in zip(children, names, strict=True):
                if isinstance(child, Child):
                    tasks.start_soon(_watch, child, target, serving)
        async with anyio.create_task_group() as running:
            for child in children:
                running.start_soon(child.run)
            for child in children:
                await child.settled.wait()
            if not all(child.failure for child in children):
                print(summary(address, hub.properties()), file=sys.stderr, flush=True)
        tasks.cancel_scope.cancel()
    if all(child.failure for child in children):
        raise IndiError("; ".join(child.failure for child in children))
    print("indiflask: stopped", file=sys.stderr, flush=True)


def _supervised(hub: Hub, target: str, name: str, serving: Serving) -> Supervised:
    if is_driver(target):
        return Driver(hub, name, [target], serving.patience)
    return Child(hub, _command(target, name, serving), serving.patience)


def is_driver(target: str) -> bool:
    """Whether a target is an executable, an INDI driver in whatever language, and not one of our apps."""
    if ":" in target or target.endswith(".py"):
        return False
    if "/" in target:
        return Path(target).is_file() and os.access(target, os.X_OK)
    module = target.replace(".", "/")
    is_module = Path(f"{module}.py").is_file() or Path(module).is_dir()
    return not is_module and shutil.which(target) is not None


def _command(target: str, name: str, serving: Serving) -> Command:
    options = ["--log-level", serving.log_level, "--state-dir", str(state_dir())]

    def line(descriptor: int, connected: Sequence[str]) -> list[str]:
        again = [f"--connect={device}" for device in connected]
        start = [sys.executable, "-m", "indiflask.child", "--socket", str(descriptor)]
        return [*start, *options, *again, "--", target]

    if serving.reload:
        options += [f"--other={file}" for file in _others(target, serving)]
    env = {"PYTHONUNBUFFERED": "1"}
    if serving.reload:
        env["PYTHONDONTWRITEBYTECODE"] = "1"  # a .pyc is told from a newer file by the second: two saves are quicker
    return Command(name, line, waits_for_change=serving.reload, env=env)


def _names(targets: Sequence[str]) -> dict[str, str]:
    """Each target with a short name for the log: ``examples/led.py:app`` is led, unless there is another led."""
    short = {target: _short_name(target) for target in targets}
    return {target: name if list(short.values()).count(name) == 1 else target for target, name in short.items()}


def _short_name(target: str) -> str:
    place = target.rpartition(":")[0] or target
    return Path(place).stem if place.endswith(".py") or "/" in place else place


async def _watch(child: Child, target: str, serving: Serving) -> None:
    from indiflask.reload import Watcher, folder_of

    await Watcher(child, serving.reload_dirs or [folder_of(target)], _others(target, serving)).run()


def _others(target: str, serving: Serving) -> list[Path]:
    """The files of the other targets."""
    from indiflask.reload import file_of

    apps = [other for other in serving.targets if not is_driver(other)]
    return sorted({file_of(other) for other in apps} - {file_of(target)})


async def _stop_on_signal(
    children: Sequence[Supervised], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            log.info("%s: stopping", signal.Signals(number).name)
            for child in children:
                child.stop()
            signal.signal(number, signal.SIG_DFL)  # the second one ends it at once
