"""What a child process of ``indiflask run`` does: loads its target and serves it over the socket that it was given."""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Collection
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from indiflask.app import App
from indiflask.errors import IndiError, TargetError
from indiflask.gpio import mock_pins_when_imported
from indiflask.links.child import IMPORTS, LAST_WORDS, MESSAGE_LENGTH
from indiflask.links.duplex import Duplex
from indiflask.links.supervised import CANNOT_START
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import Message
from indiflask.protocol.writer import write
from indiflask.running.engine import Engine
from indiflask.startup import run_on_loop, start_logging
from indiflask.target import load

ORPHAN_SECONDS = 0.6
"""How long a child whose parent is gone may take to halt its hardware."""


def main() -> None:
    """The child's command."""
    parser = argparse.ArgumentParser(prog="indiflask", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--connect", action="append", default=[], metavar="DEVICE")
    parser.add_argument("--other", action="append", default=[], metavar="FILE", type=Path)
    given = parser.parse_args()
    sys.argv[:] = ["indiflask"]  # a target may look at its arguments, and DRIVER_INFO names the program
    start_logging(given.log_level)
    sock = socket.socket(fileno=given.socket)
    os.set_inheritable(given.socket, False)  # what the target starts is not to keep the hub's end alive
    threading.Thread(target=_end_with_parent, args=(sock,), name="indiflask parent", daemon=True).start()
    atexit.register(partial(_leave_nobody, sock))  # before the target's own, so that it is called after them
    mock_pins_when_imported()
    try:
        try:
            app = load(given.target)
        finally:
            _tell(sock, IMPORTS, os.pathsep.join(_imported(given.other)))
        run_on_loop(_serve, app, sock, given.state_dir, given.connect)
    except IndiError as error:
        logging.getLogger("indiflask").debug("the target cannot be served", exc_info=error)
        _tell(sock, LAST_WORDS, str(error))
        sys.exit(CANNOT_START if isinstance(error, TargetError) else 1)


def _parent_has_gone(sock: socket.socket, wait_ms: int | None) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(wait_ms))


def _end_with_parent(sock: socket.socket) -> None:
    """A child whose parent was killed, and which does not see it since a handler of it hangs, ends all the same."""
    _parent_has_gone(sock, None)
    threading.Event().wait(ORPHAN_SECONDS)
    os.killpg(0, signal.SIGKILL)  # with the processes that the target started


def _leave_nobody(sock: socket.socket) -> None:
    """What the target started and left running is ended by our parent. Without one, by us."""
    if _parent_has_gone(sock, 0):
        os.killpg(0, signal.SIGKILL)


def _imported(others: Collection[Path]) -> list[str]:
    """Which of the other targets' files this one is made of, too."""
    names = {other.name for other in others}
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    paths = [Path(file) for file in files if isinstance(file, str)]
    return sorted({str(path.resolve()) for path in paths if path.name in names} & set(map(str, others)))


def _tell(sock: socket.socket, what: str, text: str) -> None:
    """Something for our parent itself, and not for clients."""
    try:
        sock.setblocking(True)
        sock.sendall(write(Message(message=text[:MESSAGE_LENGTH], device=what)))
    except OSError:
        logging.getLogger("indiflask").warning("nobody is there to hear it")


async def _serve(app: App, sock: socket.socket, state_dir: Path, connect: list[str]) -> None:
    def receive(frames: list[Frame]) -> None:
        for frame in frames:
            engine.receive(frame)

    link = Duplex(sock, receive)
    name = os.environ.get("INDIDEV", "").strip()
    engine = Engine(app, link.send, state_dir=state_dir, name=name, connect=connect)
    async with anyio.create_task_group() as tasks:
        await tasks.start(_stop_on_signal, engine)
        tasks.start_soon(_read_until_parent_ends, link, engine)
        await engine.run()
        tasks.cancel_scope.cancel()


async def _read_until_parent_ends(link: Duplex, engine: Engine) -> None:
    await link.run()
    engine.stop()


async def _stop_on_signal(engine: Engine, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            engine.stop()


if __name__ == "__main__":
    main()
