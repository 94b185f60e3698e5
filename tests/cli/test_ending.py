"""Ctrl-C and SIGTERM: motors stop, hardware is closed, and it does not take long."""

import signal
import time
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers import indi_setprop

APP = """
import time

import anyio

from indiflask import App

app = App("D")

@app.number("MOVE")
async def move(to: float = 0) -> None:
    print("MOVING", flush=True)
    await anyio.sleep_forever()

@move.stop
async def halt() -> None:
    await anyio.sleep(0.05)
    print("HALTED", flush=True)

@app.number("HANG")
def hang(to: float = 0) -> None:
    print("HANGING", flush=True)
    time.sleep(100)

@app.connection(auto=True)
async def hardware():
    yield 1
    print("CLOSED", flush=True)

@app.lifespan
async def life():
    yield
    print("ENDED", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_motors_stop_before_the_hardware_is_closed(
    indiflask_run: StartServer, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "mover.py").write_text(APP)
    program = indiflask_run(tmp_path / "mover.py")
    indi_setprop(program.port, "D.MOVE.to=5")
    program.wait_for_output("MOVING")
    program.process.send_signal(number)
    assert program.wait() == 0
    said = program.output
    assert said.index("HALTED") < said.index("CLOSED") < said.index("ENDED") < said.index("stopped")
    assert "Traceback" not in said


def test_a_handler_that_hangs_in_its_thread_does_not_hold_it_up(indiflask_run: StartServer, tmp_path: Path) -> None:
    (tmp_path / "mover.py").write_text(APP)
    program = indiflask_run(tmp_path / "mover.py")
    indi_setprop(program.port, "D.HANG.to=5")
    program.wait_for_output("HANGING")
    begun = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    assert program.wait() == 0
    assert time.monotonic() - begun < 6  # a stop may take five
    assert "CLOSED" in program.output
