"""Each example by indipyclient: all its properties, every refusal's words, and BLOBs both ways byte for byte."""

from __future__ import annotations

import asyncio
import io
import random
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from astropy.io import fits

from tests.conftest import StartServer
from tests.examples.conftest import Serve
from tests.examples.session import Session, session
from tests.examples.table import EVERY, Example
from tests.peers import EXAMPLES


@pytest.mark.parametrize("example", EVERY, ids=lambda example: example.target)
def test_a_script_reads_and_sets_everything(example: Example, serve: Serve) -> None:
    asyncio.run(_drive(example, serve(example.target).port))


async def _drive(example: Example, port: int) -> None:
    async with session(port) as client:
        if example.connects:
            await client.connect(example.connects)
        await client.defined(*example.first)
        assert client.vectors == set(example.first)
        for vector, readings in example.first.items():
            if not vector.endswith((".DRIVER_INFO", ".CCD1")):
                assert client.members(vector) | {"_STATE"} == set(readings)
        await client.says(example.readings)
        writable = {name for name in client.vectors if client.permission(name) != "ro"}
        assert writable - _tested_elsewhere(example) == {request.vector for request in example.requests}
        for request in example.requests:
            client.texts.clear()
            await client.send(request.vector, request.asked)
            await client.says(request.outcome)
            assert request.message in " ".join(client.texts)
        if example.connects:
            await _disconnect(example.connects, client)


async def _disconnect(device: str, client: Session) -> None:
    await client.send(f"{device}.CONNECTION", {"DISCONNECT": "On"})
    await client.says({f"{device}.CONNECTION.DISCONNECT": "On", f"{device}.CONNECTION._STATE": "Ok"})
    always = {f"{device}.{name}" for name in ("CONNECTION", "DRIVER_INFO", "CONFIG_PROCESS", "DEVICE_PORT")}
    assert client.vectors <= always


def _tested_elsewhere(example: Example) -> set[str]:
    """What every device has: CONNECTION by each test, CONFIG_PROCESS by those of the settings."""
    return {name for name in example.first if name.endswith((".CONNECTION", ".CONFIG_PROCESS"))}


ESCAPED = ("Sky & Wind <2>", "\"so\" 'so'", "'", "a &amp; b")
BY_US_ALONE = ("Météo ☁ 雲", "&amp;", "<2>", "> 5 ]]>")
"""libindi's server reads no character numbers, which indipyclient sends, and no entity that begins a text."""


@pytest.mark.parametrize("server, texts", [("indiflask run", ESCAPED + BY_US_ALONE), ("indiserver", ESCAPED)])
def test_texts_that_xml_must_escape(
    server: str,
    texts: tuple[str, ...],
    indiflask_run: StartServer,
    indiserver: StartServer,
    stdio_driver: Callable[[str | Path], Path],
) -> None:
    async def drive(port: int) -> None:
        async with session(port) as client:
            await client.defined("Roof.ACTIVE_DEVICES")
            for text in texts:
                await client.send("Roof.ACTIVE_DEVICES", {"ACTIVE_WEATHER": text})
                await client.says({"Roof.ACTIVE_DEVICES.ACTIVE_WEATHER": text, "Roof.ACTIVE_DEVICES._STATE": "Ok"})

    roof = EXAMPLES / "roof.py"
    asyncio.run(drive(indiflask_run(roof).port if server == "indiflask run" else indiserver(stdio_driver(roof)).port))


def test_the_picture_arrives_byte_for_byte(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async def drive(port: int) -> list[tuple[str, bytes, str]]:
        async with session(port) as client:
            await client.connect("Camera")
            await client.defined("Camera.CCD1", "Camera.CCD_FRAME")
            await client.send("Camera.CCD_FRAME", {"X": 90, "Y": 70, "WIDTH": 240, "HEIGHT": 180})
            await client.says({"Camera.CCD_FRAME._STATE": "Ok", "Camera.CCD_FRAME.WIDTH": 240})
            await client.client.send_enableBLOB("Also", "Camera")
            for number in (1, 2):
                await client.send("Camera.CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.25})
                await client.blob("CCD1", number)
            return client.blobs

    pictures = asyncio.run(drive(serve("camera.py").port))
    assert pictures == [("CCD1", _picture(monkeypatch, (90, 70, 240, 180), 0.25), ".fits")] * 2
    with fits.open(io.BytesIO(pictures[0][1])) as file:
        file.verify("exception")
        data = file[0].data
        assert data.shape == (180, 240)
        assert (data[0, 0], data[0, 200], data[179, 239]) == (204, 209, 214)  # 200 + 0.25 * (x + y) / 10
        assert data[10, 16] == 3500  # the star at 106, 80: 0.25 s at gain 10


def _picture(monkeypatch: pytest.MonkeyPatch, region: tuple[int, int, int, int], seconds: float) -> bytes:
    """What the example's own function makes of such a region."""
    monkeypatch.syspath_prepend(EXAMPLES)
    camera = runpy.run_path(str(EXAMPLES / "camera.py"))
    head = camera["CameraHead"]()
    head.region = region
    picture: bytes = camera["fits"](head, seconds)
    return picture


VAULT = """
from indiflask import App, Blob

app = App("Vault")
copy = app.published("COPY", Blob)

@app.blob("FILE")
def file(upload: Blob) -> None:
    copy.publish(upload)
"""


@pytest.mark.parametrize("server", ["indiflask run", "indiserver"])
def test_an_upload_arrives_byte_for_byte(
    server: str,
    tmp_path: Path,
    indiflask_run: StartServer,
    indiserver: StartServer,
    stdio_driver: Callable[[str | Path], Path],
) -> None:
    target = tmp_path / "vault.py"
    target.write_text(VAULT)
    port = indiflask_run(target).port if server == "indiflask run" else indiserver(stdio_driver(target)).port
    files = [b"x", bytes(range(256)) * 3, random.Random(7).randbytes(1_000_003)]

    async def drive() -> list[tuple[str, bytes, str]]:
        async with session(port) as client:
            await client.defined("Vault.FILE", "Vault.COPY")
            await client.client.send_enableBLOB("Also", "Vault")
            for number, data in enumerate(files, 1):
                await client.send("Vault.FILE", {"FILE": (data, 0, ".dat")})
                await client.blob("COPY", number)
                await client.says({"Vault.FILE._STATE": "Ok"})
            return [blob for blob in client.blobs if blob[0] == "COPY"]

    assert asyncio.run(drive()) == [("COPY", data, ".dat") for data in files]
