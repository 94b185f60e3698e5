"""Serving an app: on a TCP port with a hub, or on stdin and stdout as a driver of another server."""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial

import anyio

from indiflask.app import App
from indiflask.errors import IndiError
from indiflask.hub import Hub
from indiflask.links.listener import serve
from indiflask.links.requests import RequestLog
from indiflask.links.stdio import Stdio
from indiflask.running.engine import Engine
from indiflask.running.handler import STOP_SECONDS
from indiflask.startup import run_on_loop, start_logging, state_dir
from indiflask.summary import summary

log = logging.getLogger("indiflask")


def run_app(app: App, *, host: str, port: int, stdio: bool, log_level: str) -> None:
    """What ``App.run`` does. Ends the process with 1 and a clear line when it cannot be served."""
    from indiflask.target import importing

    if importing.get():
        return
    start_logging(log_level)
    try:
        run_on_loop(serve_stdio, app) if stdio else run_on_loop(serve_tcp, app, host, port)
    except IndiError as error:
        if log.isEnabledFor(logging.DEBUG):
            raise
        sys.exit(f"indiflask: {error}")


async def serve_tcp(app: App, host: str, port: int) -> None:
    """Serve on a TCP port until a signal. The port is taken first, so that no hardware moves for nothing."""
    requests = RequestLog()
    hub = Hub(requests.journal)
    engine = Engine(app, lambda frames: hub.receive(peer, frames), state_dir=state_dir(), name=_indidev())
    peer = hub.join(app.name, engine.receive, owner=True)
    async with anyio.create_task_group() as tasks:
        address = await tasks.start(partial(serve, hub, host, port))
        tasks.start_soon(requests.keep_writing)
        tasks.start_soon(_stop_on_signal, engine)
        async with anyio.create_task_group() as running:
            await running.start(engine.run)
            engine.flush()
            hub.settle(peer)
            print(summary(address, hub.properties()), file=sys.stderr, flush=True)
        tasks.cancel_scope.cancel()
    print("indiflask: stopped", file=sys.stderr, flush=True)


async def serve_stdio(app: App) -> None:
    """Be a driver on stdin and stdout until EOF or a signal. Raises ProtocolError for what is no INDI."""
    link = Stdio()
    engine = Engine(app, link.send, state_dir=state_dir(), name=_indidev())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_on_signal, engine)
        tasks.start_soon(_read_until_eof, link, engine)
        await engine.run()
        await link.drain()
        tasks.cancel_scope.cancel()


async def _read_until_eof(link: Stdio, engine: Engine) -> None:
    try:
        await link.read(engine.receive)
        with anyio.move_on_after(STOP_SECONDS):
            await engine.settle()  # what was asked before the end still reaches the hardware
    finally:
        engine.stop()


def _indidev() -> str:
    """The name that an INDI server gives a driver in the environment."""
    return os.environ.get("INDIDEV", "").strip()


async def _stop_on_signal(engine: Engine) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            log.info("%s: stopping", signal.Signals(number).name)
            engine.stop()
            signal.signal(number, signal.SIG_DFL)  # the second one ends it at once
