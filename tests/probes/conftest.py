"""One server for each module of probes, and somebody who must notice nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers import Program, indiflask_run
from tests.probes.kit import Client, new

APP = """
import time
from typing import Annotated

import anyio

from indiflask import App, Blob, Number

app = App("D")
other = app.device("E")
times = 0

@app.number("N")
def number(X: Annotated[float, Number(min=0, max=10)] = 1) -> None: ...

@app.text("T")
def text(x: str = "") -> None: ...

@app.number("COUNT")
def count(X: float = 0) -> float:
    global times
    times += 1
    return times

@app.blob("B")
def image() -> Blob: ...

@app.button("SHOOT")
def shoot() -> None:
    image.publish(Blob(bytes(20_000_000), ".bin"))

@app.button("ABORT", cancels=[count])
def abort() -> None: ...

@other.switch("L")
def light(on: bool) -> None: ...
"""


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """``APP`` of the module that asks, else the one above."""
    folder = tmp_path_factory.mktemp("probes")
    (folder / "probed.py").write_text(getattr(request.module, "APP", APP))
    with indiflask_run(folder / "probed.py", env={"STATE_DIRECTORY": str(folder)}) as program:
        program.wait_for_output("Ctrl-C")  # a port that answers is not yet an app that does
        yield program


@pytest.fixture
def witness(server: Program) -> Iterator[Client]:
    """At the end he has heard nothing about E.L, sets it and is answered."""
    with Client(server.port) as client:
        client.say(b'<getProperties version="1.7" device="E"/>')
        client.until(b'name="L"')
        client.barrier()
        yield client
        assert b"<message" not in client.barrier()
        client.say(new("Switch", "L", device="E", on="On"))
        client.until(b'name="L" state="Ok"')
        assert server.running
