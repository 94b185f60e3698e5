"""The camera's exposures as clients meet them: counting down, in a row, aborted, of a part of the sensor."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from tests.examples.conftest import Serve
from tests.examples.driving import BUSY, OK, ask, becomes_true, connect, expect
from tests.peers import indi_eval, indi_getprop, tool

EXPOSURE = "Camera.CCD_EXPOSURE"
SECONDS = "CCD_EXPOSURE_VALUE"


@pytest.fixture
def camera(serve: Serve) -> int:
    """The port of a connected camera with a region that is read out quickly."""
    port = serve("camera.py").port
    connect(port, "Camera")
    ask(port, "Camera.CCD_FRAME", {"X": 10, "Y": 20, "WIDTH": 320, "HEIGHT": 240})
    expect(port, {"Camera.CCD_FRAME._STATE": "Ok", "Camera.CCD_FRAME.WIDTH": 320})
    return port


@pytest.fixture
def our_camera(serve_ourselves: Serve) -> int:
    """A connected camera by our server alone."""
    port = serve_ourselves("camera.py").port
    connect(port, "Camera")
    return port


def picture(port: int, seconds: float, folder: Path) -> Path:
    """Expose, and wait for the picture as indi_getprop saves it.

    It hears only what comes after it has connected: once more, where that was too late.
    """
    folder.mkdir()
    for _ in range(3):
        ask(port, EXPOSURE, {SECONDS: seconds})
        if tool("indi_getprop", port, "Camera.CCD1.CCD1", seconds=3, cwd=folder).returncode == 0:
            break
    [path] = folder.glob("*.fits")
    return path


def test_two_exposures_in_a_row(camera: int, tmp_path: Path) -> None:
    for seconds in (0.25, 0.5):
        with fits.open(picture(camera, seconds, tmp_path / str(seconds))) as file:
            file.verify("exception")
            assert (file[0].header["EXPTIME"], file[0].header["GAIN"]) == (seconds, 10)
            assert file[0].data.shape == (240, 320)
            assert file[0].data[0, 0] == int(200 + seconds * 3)
            assert file[0].data[60, 96] == int(seconds * 10_000) + 1000  # the star at 106, 80
        expect(camera, {f"{EXPOSURE}._STATE": "Ok", f"{EXPOSURE}.{SECONDS}": 0})


def test_an_exposure_counts_down_and_can_be_aborted(camera: int, tmp_path: Path) -> None:
    ask(camera, EXPOSURE, {SECONDS: 60})
    indi_eval(camera, f'"{EXPOSURE}._STATE" == {BUSY} && "{EXPOSURE}.{SECONDS}" < 59.9')
    ask(camera, "Camera.CCD_ABORT_EXPOSURE", {"ABORT": "On"})
    expect(camera, {f"{EXPOSURE}._STATE": "Idle", "Camera.CCD_ABORT_EXPOSURE._STATE": "Ok"})
    with fits.open(picture(camera, 0.5, tmp_path / "next")) as file:
        assert file[0].header["EXPTIME"] == 0.5


def test_a_newer_exposure_replaces_the_one_before(our_camera: int, tmp_path: Path) -> None:
    ask(our_camera, EXPOSURE, {SECONDS: 60})
    indi_eval(our_camera, f'"{EXPOSURE}._STATE" == {BUSY}')
    with fits.open(picture(our_camera, 0.5, tmp_path / "new")) as file:
        assert file[0].header["EXPTIME"] == 0.5
    expect(our_camera, {f"{EXPOSURE}._STATE": "Ok", f"{EXPOSURE}.{SECONDS}": 0})


def test_an_exposure_out_of_range_does_not_disturb_a_right_one(our_camera: int) -> None:
    ask(our_camera, EXPOSURE, {SECONDS: 60})
    indi_eval(our_camera, f'"{EXPOSURE}._STATE" == {BUSY}')
    ask(our_camera, EXPOSURE, {SECONDS: 4000})
    disturbed = becomes_true(our_camera, f'"{EXPOSURE}._STATE" != {BUSY}', seconds=1)
    assert not disturbed
    indi_eval(our_camera, f'"{EXPOSURE}.{SECONDS}" < 59.5')


def test_an_aborted_exposure_gives_no_picture(our_camera: int, tmp_path: Path) -> None:
    ask(our_camera, EXPOSURE, {SECONDS: 60})
    indi_eval(our_camera, f'"{EXPOSURE}._STATE" == {BUSY}')
    ask(our_camera, "Camera.CCD_ABORT_EXPOSURE", {"ABORT": "On"})
    with pytest.raises(AssertionError, match=r"No Camera\.CCD1"):
        indi_getprop(our_camera, "Camera.CCD1.CCD1", seconds=1, cwd=tmp_path)


def test_a_disconnect_ends_an_exposure(our_camera: int) -> None:
    ask(our_camera, EXPOSURE, {SECONDS: 60})
    indi_eval(our_camera, f'"{EXPOSURE}._STATE" == {BUSY}')
    ask(our_camera, "Camera.CONNECTION", {"DISCONNECT": "On"})
    indi_eval(our_camera, f'"Camera.CONNECTION.DISCONNECT" == 1 && "Camera.CONNECTION._STATE" == {OK}')
    connect(our_camera, "Camera")
    expect(our_camera, {f"{EXPOSURE}._STATE": "Idle", "Camera.CCD_FRAME.WIDTH": 640})
