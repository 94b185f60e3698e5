"""The command line, as a person meets it: what it says when right, and when wrong."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.peers import EXAMPLES, HERE, INDIFLASK, indi_eval, indi_getprop, indi_setprop, indiflask_run

LAMP = """
from indiflask import App

app = App("Lamp")
spare = App("Spare")


@app.switch("LAMP")
def lamp(on: bool) -> None:
    print("lamp is", on, flush=True)


@lamp.stop
def halt() -> None: ...


def make() -> App:
    return spare


def make_two(left: str) -> App:
    return spare


def broken() -> App:
    raise OSError("no such port")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("lamp.py").write_text(LAMP)
    tmp_path.joinpath("plain.py").write_text("x = 1\n")
    tmp_path.joinpath("typo.py").write_text("from indiflask import App\napp = App('A'\n")
    tmp_path.joinpath("raises.py").write_text("import lamp\n\n1 / 0\n")
    tmp_path.joinpath("wrong.py").write_text(
        "from indiflask import App\napp = App('A')\n\n\n@app.switch('B')\ndef b(on):\n    pass\n"
    )
    return tmp_path


def indiflask(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run([INDIFLASK, *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["stdio", "--help"], ["new", "--help"], []])
def test_help_ends_with_an_example(command: list[str], folder: Path) -> None:
    shown = indiflask(*command, folder=folder)
    text = shown.stdout + shown.stderr
    assert "Example: ind" in text.rstrip().splitlines()[-1] + text.rstrip().splitlines()[-2]


def test_version(folder: Path) -> None:
    assert indiflask("--version", folder=folder).stdout.startswith("indiflask 0.1.0")


@pytest.mark.parametrize(
    "target, expected",
    [
        ("gone.py", "there is no file gone.py"),
        ("gone", "no module is called 'gone'"),
        ("lamp.py:lmap", "lamp has no 'lmap'"),
        ("lamp.py:", "behind the colon"),
        ("lamp.py:make_two", "needs left"),
        ("lamp.py:broken", "OSError: no such port"),
        ("plain.py", "makes no App"),
        ("typo.py", "typo.py:2"),
        ("raises.py", "raises.py:3"),
        ("wrong.py", "wrong.py:5"),
    ],
)
@pytest.mark.parametrize("command", ["run", "stdio"])
def test_a_target_that_cannot_be_loaded(command: str, target: str, expected: str, folder: Path) -> None:
    port = ["--port", "0"] if command == "run" else []
    failed = indiflask(command, target, *port, folder=folder)
    assert failed.returncode == 1
    assert expected in failed.stderr
    assert "Traceback" not in failed.stderr


def test_debug_shows_the_traceback(folder: Path) -> None:
    failed = indiflask("run", "raises.py", "--port", "0", "--log-level", "debug", folder=folder)
    assert "Traceback" in failed.stderr
    assert "ZeroDivisionError" in failed.stderr
    assert failed.returncode == 1


def test_a_port_in_use_is_told(folder: Path) -> None:
    with socket.create_server((HERE, 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = indiflask("run", "lamp.py", "--port", port, folder=folder)
    assert failed.returncode == 1
    assert port in failed.stderr
    assert "in use" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_an_unknown_log_level_is_told(folder: Path) -> None:
    failed = indiflask("run", "lamp.py", "--port", "0", "--log-level", "loud", folder=folder)
    assert failed.returncode != 0
    assert "debug, info, warning, error" in failed.stderr


@pytest.mark.parametrize("target", ["lamp.py", "lamp.py:app", "lamp", "lamp:app", "lamp:make"])
def test_it_says_what_is_served_and_where(target: str, folder: Path) -> None:
    name = "Spare" if "make" in target else "Lamp"
    with indiflask_run(target, cwd=folder) as server:
        server.wait_for_output("Ctrl-C")
        assert f"serving {name} on {HERE}:{server.port}" in server.output
        assert indi_getprop(server.port, f"{name}.CONNECTION.CONNECT")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(number: signal.Signals) -> None:
    with indiflask_run(EXAMPLES / "led.py") as server:
        server.process.send_signal(number)
        assert server.wait() == 0
        assert "stopped" in server.output


def test_debug_shows_the_wire(folder: Path) -> None:
    with indiflask_run("lamp.py", "--log-level", "debug", cwd=folder) as server:
        indi_setprop(server.port, "Lamp.LAMP.on=On")
        server.wait_for_output("lamp is True")
        server.wait_for_output("newSwitchVector")
        indi_eval(server.port, '"Lamp.LAMP.on" == 1')
        server.wait_for_output("defSwitchVector")


def test_the_environment_names_the_device(folder: Path) -> None:
    with indiflask_run("lamp.py", cwd=folder, env={"INDIDEV": "Gate"}) as server:
        assert indi_getprop(server.port, "Gate.LAMP.on") == {"Gate.LAMP.on": "Off"}


def test_requests_and_answers_are_a_line_each(folder: Path) -> None:
    with indiflask_run("lamp.py", cwd=folder) as server:
        indi_setprop(server.port, "Lamp.LAMP.on=On")
        server.wait_for_output("Lamp.LAMP on=On by 127.0.0.1:")
        assert re.search(r"Lamp\.LAMP on=On by \S+: Ok, [0-9.]+ ms\n", server.output)


def test_two_targets_of_one_file_have_names_of_their_own(folder: Path) -> None:
    with indiflask_run("lamp.py:app", "lamp.py:spare", cwd=folder) as server:
        indi_setprop(server.port, "Lamp.LAMP.on=On")
        server.wait_for_output("lamp.py:app | lamp is True")
