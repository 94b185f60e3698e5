"""``indiflask new``: what it writes is served, tested and clean as it stands, and nothing is ever overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import INDIFLASK, ROOT, indi_eval, indi_getprop, indi_setprop, indiflask_run

RUFF = Path(sys.executable).with_name("ruff")


def new(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(INDIFLASK), "new", name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a lamp in it."""
    assert new("lamp", tmp_path).returncode == 0
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith((".", "__"))}


def test_it_says_what_it_wrote_and_what_to_type_next(tmp_path: Path) -> None:
    said = new("roof_motor", tmp_path)
    assert said.returncode == 0
    assert files(tmp_path) == {"roof_motor.py", "test_roof_motor.py"}
    assert said.stdout.splitlines() == [
        "wrote roof_motor.py and test_roof_motor.py",
        "  run it:   indiflask run roof_motor.py --reload",
        "  set it:   indi_setprop 'Roof Motor.LEVEL.percent=80'    (in another terminal)",
        "  test it:  pytest test_roof_motor.py",
    ]


def test_it_is_a_driver(folder: Path) -> None:
    with indiflask_run("lamp.py", "--reload", cwd=folder) as server:
        assert indi_getprop(server.port, "Lamp.POWER.on", "Lamp.LEVEL.percent", "Lamp.TEMPERATURE.CELSIUS") == {
            "Lamp.POWER.on": "Off",
            "Lamp.LEVEL.percent": "50",
            "Lamp.TEMPERATURE.CELSIUS": "20",
        }
        indi_setprop(server.port, "Lamp.LEVEL.percent=80")
        indi_setprop(server.port, "Lamp.POWER.on=On")
        indi_eval(server.port, '"Lamp.TEMPERATURE.CELSIUS" == 28')
        indi_setprop(server.port, "Lamp.LEVEL.percent=180")
        indi_eval(server.port, '"Lamp.LEVEL._STATE" == 3 && "Lamp.LEVEL.percent" == 80')
        assert "Traceback" not in server.output


def test_its_test_passes(folder: Path) -> None:
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout


@pytest.mark.parametrize("name, place", [("lamp.py", "examples/lamp.py"), ("test_lamp.py", "tests/test_lamp.py")])
@pytest.mark.parametrize("line_length", [88, 120])  # ruff's own habit, and ours
def test_it_is_clean(name: str, place: str, line_length: int, folder: Path) -> None:
    text = folder.joinpath(name).read_text()
    for command in (["check"], ["format", "--diff"]):
        checked = subprocess.run(
            [RUFF, *command, f"--line-length={line_length}", f"--stdin-filename={place}", "-"],
            input=text,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_is_typed(folder: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), str(folder)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("there", ["lamp.py", "test_lamp.py"])
def test_what_is_there_is_left_alone(there: str, tmp_path: Path) -> None:
    tmp_path.joinpath(there).write_text("mine")
    refused = new("lamp", tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"indiflask: {there} is here already")
    assert files(tmp_path) == {there}
    assert tmp_path.joinpath(there).read_text() == "mine"


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    tmp_path.joinpath("lamp.py").symlink_to(tmp_path / "elsewhere.py")
    refused = new("lamp", tmp_path)
    assert refused.returncode == 1
    assert "lamp.py is here already" in refused.stderr
    assert files(tmp_path) == {"lamp.py"}


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.joinpath("lamp.py").mkdir()
    assert "lamp.py is here already" in new("lamp", tmp_path).stderr


@pytest.mark.parametrize(
    "name, better",
    [
        ("my-lamp", "my_lamp"),
        ("roof motor", "roof_motor"),
        ("lamp.py", "lamp"),
        ("drivers/dome", "dome"),
        ("../dome", "dome"),
        ("3d", "my_3d"),
        ("class", "my_class"),
        ("", "lamp"),
        ("json", "my_json"),  # of the standard library
        ("gpiozero", "my_gpiozero"),  # installed
    ],
)
def test_a_name_that_cannot_be_imported_is_refused_with_one_that_can(name: str, better: str, tmp_path: Path) -> None:
    refused = new(name, tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("indiflask: ")
    assert refused.stderr.rstrip().endswith(f"try: indiflask new {better}")
    assert not files(tmp_path)
    assert new(better, tmp_path).returncode == 0
