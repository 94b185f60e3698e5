"""A client that we did not write, in Python: it reads and sets everything in every example, and exchanges BLOBs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import indipyclient
import pytest

from tests.conftest import StartServer
from tests.peers import EXAMPLES, HERE, indi_getprop

SECONDS = 20
TARGETS = {path.stem: path.name for path in EXAMPLES.glob("*.py") if path.name != "simulated.py"}
TARGETS["supply"] = "supply.py:supply"
DATA = random.Random(1).randbytes(1_000_000)
BLOBS = """
from pathlib import Path
from indiflask import App, Blob

app = App("Blobs")
picture = app.published("PICTURE", Blob)


@app.blob("UPLOAD")
def upload(file: Blob) -> None:
    picture.publish(file)
"""


class Client(indipyclient.IPyClient):  # type: ignore[misc]  # it carries no types
    """Wakes whoever waits at each event."""

    def __init__(self, port: int) -> None:
        super().__init__(indihost=HERE, indiport=port)
        self.news = asyncio.Event()

    async def rxevent(self, event: Any) -> None:
        self.news.set()

    async def until(self, met: Callable[[], Any], what: str) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                while not met():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise AssertionError(f"not within {SECONDS} s: {what}; messages: {list(self.messages)}") from None

    def vectors(self) -> list[Any]:
        """All properties that are there now."""
        return [vector for device in self.values() for vector in device.values() if vector.enable]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    client = Client(port)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.asyncrun())
        try:
            yield client
        finally:
            client.shutdown()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_reads_and_sets_everything(name: str, indiflask_run: StartServer) -> None:
    port = indiflask_run(f"{EXAMPLES}/{TARGETS[name]}").port
    asyncio.run(read_and_set(port))


async def read_and_set(port: int) -> None:
    async with connected(port) as client:
        await client.until(lambda: client.connected and client.vectors(), "a definition")
        for device in list(client):
            await set_to(client, client[device]["CONNECTION"], {"CONNECT": "On"}, "Ok")
        there = await asyncio.to_thread(indi_getprop, port, "*.*.*", seconds=1)
        names = {path.rsplit(".", 1)[0] for path in there}
        await client.until(
            lambda: names <= {f"{it.devicename}.{it.name}" for it in client.vectors()}, f"all of {names}"
        )
        for vector in sorted(client.vectors(), key=lambda it: it.name != "TELESCOPE_PARK"):  # a parked mount refuses
            if vector.perm != "ro" and vector.name != "CONNECTION" and vector.vectortype != "BLOBVector":
                await set_to(client, vector, wanted(vector))


def wanted(vector: Any) -> dict[str, str]:
    """Its values as they are; of switches that may all be Off, the first On, as a press."""
    values = dict(vector)
    if vector.vectortype == "SwitchVector" and "On" not in values.values():
        values[next(iter(values))] = "On"
    if vector.name == "TELESCOPE_PARK":
        return {"UNPARK": "On"}
    if vector.name in {"TELESCOPE_MOTION_NS", "TELESCOPE_MOTION_WE"}:
        return dict.fromkeys(values, "Off")  # held keys stay Busy
    return values


async def set_to(client: Client, vector: Any, members: dict[str, str], state: str = "") -> None:
    await client.send_newVector(vector.devicename, vector.name, members=members)
    await client.until(lambda: vector.state != "Busy", f"an answer about {vector.devicename}.{vector.name}")
    assert vector.state in ((state,) if state else ("Ok", "Idle")), f"{vector.name}: {vector.state} {vector.message}"


def test_exchanges_blobs_byte_for_byte(indiflask_run: StartServer, tmp_path: Path) -> None:
    target = tmp_path / "blobs.py"
    target.write_text(BLOBS)
    asyncio.run(exchange(indiflask_run(target).port))


async def exchange(port: int) -> None:
    async with connected(port) as client:
        await client.until(lambda: "Blobs" in client and {"UPLOAD", "PICTURE"} <= set(client["Blobs"]), "definitions")
        await client.send_enableBLOB("Also", "Blobs")
        await client.send_newVector("Blobs", "UPLOAD", members={"UPLOAD": (DATA, 0, ".raw")})
        picture = client["Blobs"]["PICTURE"]
        await client.until(lambda: picture["PICTURE"], "the picture")
        assert picture["PICTURE"] == DATA
        assert picture.member("PICTURE").blobformat == ".raw"
        await client.until(lambda: client["Blobs"]["UPLOAD"].state == "Ok", "the answer")
