"""Drivers that are no apps of ours: libindi's simulators, and scripts that do what drivers should not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from astropy.io import fits

from tests.bench.machine import family
from tests.cli.kit import ASK, Bench, Mirror, app, descriptors, kill, runs, until
from tests.peers import INDIFLASK, Program, indi_eval, indi_setprop, tool

CCD = "CCD Simulator"
BLOBS = f'<enableBLOB device="{CCD}">Also</enableBLOB>'


def pid_of(program: Program, name: str) -> int:
    """Of the driver's process."""
    [pid] = [one for one in family(program.process.pid) if name in Path(f"/proc/{one}/cmdline").read_text()[:80]]
    return pid


def connected_camera(serve: Bench) -> tuple[Program, Mirror]:
    """A client that knows it and gets its images."""
    program = serve.drivers("indi_simulator_ccd")
    client = serve.client(program, ASK, BLOBS)
    client.until_defined(f"{CCD}.CONNECTION")
    client.ask(f"{CCD}.CONNECTION", CONNECT="On")
    client.until_defined(f"{CCD}.CCD1")
    return program, client


def expose(client: Mirror) -> None:
    before = client.blobs
    client.ask(f"{CCD}.CCD_EXPOSURE", CCD_EXPOSURE_VALUE="0.05")

    def arrived() -> bool:
        client.update()
        return client.blobs > before

    until(arrived, lambda: "no image came")


def test_one_image_after_another(serve: Bench, tmp_path: Path) -> None:
    """Without an answer to its ping, libindi's driver sends one image and never a second."""
    program, client = connected_camera(serve)
    expose(client)
    before = descriptors(program)
    for _ in range(5):
        expose(client)
    assert descriptors(program) == before
    client.ask(f"{CCD}.CCD_EXPOSURE", CCD_EXPOSURE_VALUE="1")
    assert tool("indi_getprop", program.port, f"{CCD}.CCD1.CCD1", seconds=8, cwd=tmp_path).returncode == 0
    [saved] = tmp_path.glob("*.fits")
    with fits.open(saved) as file:
        file.verify("exception")
        assert file[0].data.shape == (1024, 1280)


def test_an_image_that_nobody_wants_costs_nothing(serve: Bench) -> None:
    program, _ = connected_camera(serve)
    before = descriptors(program)
    other = serve.client(program)
    other.until_defined(f"{CCD}.CCD_EXPOSURE")
    for _ in range(3):
        other.ask(f"{CCD}.CCD_EXPOSURE", CCD_EXPOSURE_VALUE="0.05")
        other.until_state(f"{CCD}.CCD_EXPOSURE", "Busy")
        other.until_state(f"{CCD}.CCD_EXPOSURE", "Ok")
    assert other.blobs == 0
    assert descriptors(program) <= before + 1


def test_apps_and_drivers_are_one_tree(serve: Bench) -> None:
    serve.file.write_text(app())
    program = serve.drivers("indi_simulator_telescope", serve.file, "indi_simulator_focus")
    client = serve.client(program)
    for name in ("Telescope Simulator.CONNECTION", "D.PID", "Focuser Simulator.CONNECTION"):
        client.until_defined(name)
    telescope = "Telescope Simulator"
    indi_setprop(program.port, f"{telescope}.CONNECTION.CONNECT=On")
    client.until_defined(f"{telescope}.TELESCOPE_PARK")
    indi_setprop(program.port, f"{telescope}.TELESCOPE_PARK.UNPARK=On")
    indi_setprop(program.port, f"{telescope}.EQUATORIAL_EOD_COORD.RA=3;DEC=40")
    indi_eval(program.port, f'"{telescope}.EQUATORIAL_EOD_COORD._STATE" == 2')
    indi_setprop(program.port, f"{telescope}.TELESCOPE_ABORT_MOTION.ABORT=On")
    client.until_state(f"{telescope}.TELESCOPE_ABORT_MOTION", "Ok")
    assert client.faults == []


def test_the_end_of_a_driver_deletes_its_devices_until_it_is_back(serve: Bench) -> None:
    serve.file.write_text(app())
    program = serve.drivers("indi_simulator_ccd", serve.file)
    client = serve.client(program)
    client.until_defined(f"{CCD}.CONNECTION")
    ours = client.until_running()
    kill(pid_of(program, "indi_simulator_ccd"))
    client.until(lambda: f"{CCD}.CONNECTION" not in client.properties, "it is not deleted")
    client.until_told("indi_simulator_ccd is not running: it was ended by SIGKILL")
    client.until_defined(f"{CCD}.CONNECTION")
    assert client.until_running() == ours
    assert client.faults == []


def test_it_ends_with_the_server(serve: Bench) -> None:
    program = serve.drivers("indi_simulator_ccd")
    program.wait_for_output("Ctrl-C")
    pid = pid_of(program, "indi_simulator_ccd")
    assert program.stop() == 0
    assert not runs(pid)


def test_it_ends_when_the_server_is_killed(serve: Bench) -> None:
    program = serve.drivers("indi_simulator_ccd")
    program.wait_for_output("Ctrl-C")
    pid = pid_of(program, "indi_simulator_ccd")
    kill(program.process.pid)
    until(lambda: not runs(pid), lambda: "it goes on")


DEFINE = (
    """printf '<defTextVector device="D" name="T" state="Ok" perm="ro"><defText name="x">1</defText></defTextVector>'"""
)


def script(folder: Path, *lines: str) -> Path:
    path = folder / "indi_script"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_its_output_bears_its_name(serve: Bench, tmp_path: Path) -> None:
    program = serve.drivers(script(tmp_path, "echo looking for the camera >&2", DEFINE, "cat >/dev/null"))
    program.wait_for_output("indi_script | looking for the camera")
    program.wait_for_output("D: T")


NOT_ATTACHED = (
    """printf '<setBLOBVector device="D" name="B"><oneBLOB name="x" size="9" attached="true"/></setBLOBVector>'"""
)


@pytest.mark.parametrize(
    "said, why",
    [
        ("printf '</x>'", "it said what is no INDI"),
        (NOT_ATTACHED, "1 BLOBs are said to be attached, and 0 came along"),
        ("exit 3", "it ended with exit code 3"),
    ],
)
def test_one_that_breaks_the_rules_is_started_again(serve: Bench, tmp_path: Path, said: str, why: str) -> None:
    serve.file.write_text(app(device="E"))
    program = serve.drivers(script(tmp_path, DEFINE, "sleep 0.5", said, "cat >/dev/null"), serve.file)
    client = serve.client(program)
    client.until_told(why)
    client.until_running(device="E")
    program.wait_for_output("started again in 1 s")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    failed = subprocess.run(
        [INDIFLASK, "run", "indi_simulator_nope", "--port", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert failed.returncode == 1
    assert re.search("no module is called 'indi_simulator_nope'.*no program on PATH", failed.stderr)
