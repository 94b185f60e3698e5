"""The helpers, tried on libindi's own server, so that a failure elsewhere is ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers import Program, indi_eval, indi_getprop, indi_setprop, started

SWITCH = "Dome Simulator.CONNECTION"


@pytest.fixture
def dome(indiserver: StartServer) -> Program:
    return indiserver("indi_simulator_dome")


def test_tools_drive_a_simulator(dome: Program) -> None:
    assert indi_getprop(dome.port, f"{SWITCH}.CONNECT") == {f"{SWITCH}.CONNECT": "Off"}
    indi_setprop(dome.port, f"{SWITCH}.CONNECT=On")
    indi_eval(dome.port, f'"{SWITCH}.CONNECT" == 1 && "{SWITCH}._STATE" == 1')


def test_what_is_not_there_fails(dome: Program) -> None:
    with pytest.raises(AssertionError, match=r"Dome Simulator\.NOTHING"):
        indi_getprop(dome.port, "Dome Simulator.NOTHING.X", seconds=1)
    with pytest.raises(AssertionError, match="not true within 1 s"):
        indi_eval(dome.port, f'"{SWITCH}.CONNECT" == 1', seconds=1)


def test_a_program_that_ends_early_tells_why() -> None:
    failure = pytest.raises(AssertionError, match=r"(?s)ended with 3 .*out of film")
    with failure, started("sh", "-c", "echo out of film; exit 3", port=1):
        pass


def test_output_and_exit_code(tmp_path: Path) -> None:
    with started("sh", "-c", "pwd; exec sleep 60", cwd=tmp_path) as program:
        program.wait_for_output(str(tmp_path))
        assert program.stop() == -15
    assert not program.running
