"""What a child process of ``indiflask run`` does: loads its target and serves it over the socket that it was given."""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import socket
import sys
import threading
from pathlib import Path

import anyio

from indiflask.app import App
from indiflask.errors import IndiError, TargetError
from indiflask.gpio import mock_pins_without_gpio
from indiflask.links.child import CANNOT_START
from indiflask.links.duplex import Duplex
from indiflask.links.stream import Stream
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import Message
from indiflask.protocol.writer import write
from indiflask.running.engine import Engine
from indiflask.startup import run_on_loop, start_logging
from indiflask.target import load

ORPHAN_SECONDS = 0.8
"""How long a child whose parent is gone may take to halt its hardware."""


def main() -> None:
    """The child's command."""
    parser = argparse.ArgumentParser(prog="indiflask", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--connect", action="append", default=[], metavar="DEVICE")
    given = parser.parse_args()
    sys.argv[:] = ["indiflask"]  # a target may look at its arguments, and DRIVER_INFO names the program
    start_logging(given.log_level)
    sock = socket.socket(fileno=given.socket)
    os.set_inheritable(given.socket, False)  # what the target starts is not to keep the hub's end alive
    threading.Thread(target=_end_with_parent, args=(sock.fileno(),), name="indiflask parent", daemon=True).start()
    mock_pins_without_gpio()
    try:
        app = load(given.target)
        run_on_loop(_serve, app, sock, given.state_dir, given.connect)
    except IndiError as error:
        _say_why(sock, error)
        sys.exit(CANNOT_START if isinstance(error, TargetError) else 1)


def _end_with_parent(descriptor: int) -> None:
    """A child whose parent was killed, and which does not see it since a handler of it hangs, ends all the same."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    poll.poll()
    threading.Event().wait(ORPHAN_SECONDS)
    os._exit(1)


def _say_why(sock: socket.socket, error: IndiError) -> None:
    logging.getLogger("indiflask").debug("the target cannot be served", exc_info=error)
    try:
        sock.setblocking(True)
        sock.sendall(write(Message(message=str(error))))
    except OSError:
        logging.getLogger("indiflask").warning("nobody is there to hear it")


async def _serve(app: App, sock: socket.socket, state_dir: Path, connect: list[str]) -> None:
    def receive(frames: list[Frame]) -> None:
        for frame in frames:
            engine.receive(frame)

    link = Duplex(Stream(sock), receive)
    name = os.environ.get("INDIDEV", "").strip()
    engine = Engine(app, link.send, state_dir=state_dir, name=name, connect=connect)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_on_signal, engine)
        tasks.start_soon(_read_until_parent_ends, link, engine)
        await engine.run()
        tasks.cancel_scope.cancel()


async def _read_until_parent_ends(link: Duplex, engine: Engine) -> None:
    await link.run()
    engine.stop()


async def _stop_on_signal(engine: Engine) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            engine.stop()


if __name__ == "__main__":
    main()
