"""``save=True`` and CONFIG_PROCESS."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from indiflask import App, Reject, State
from indiflask.protocol.messages import Message
from tests.app.kit import running, values

pytestmark = pytest.mark.anyio


def make(given: list[float]) -> App:
    app = App("D")

    @app.connection()
    async def hardware() -> AsyncIterator[str]:
        yield "x"

    @app.number("GAIN", save=True)
    async def gain(value: float = 10) -> None:
        given.append(value)
        if value < 0:
            raise Reject("negative")

    return app


async def test_the_last_asked_value_is_given_again_at_connect(tmp_path: Path) -> None:
    given: list[float] = []
    async with running(make(given), tmp_path) as wire:
        await wire.connect()
        await wire.set("GAIN", value=42)
        await wire.set("GAIN", value=-1)  # refused: not saved
    assert json.loads((tmp_path / "D.json").read_text()) == {"GAIN": {"value": 42}}
    app = make(given)
    async with running(app, tmp_path) as wire:
        assert given == [42, -1]
        await wire.connect()
        assert given == [42, -1, 42]
        assert app.properties["GAIN"].value == 42


async def test_what_no_longer_fits_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "D.json").write_text('{"GAIN": {"value": "abc"}}')
    given: list[float] = []
    async with running(make(given), tmp_path) as wire:
        await wire.connect()
        assert given == []


async def test_an_unreadable_file_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "D.json").write_text("{half")
    async with running(make([]), tmp_path) as wire:
        await wire.connect()
        await wire.set("GAIN", value=3)
    assert (tmp_path / "D.unreadable").read_text() == "{half"
    assert json.loads((tmp_path / "D.json").read_text()) == {"GAIN": {"value": 3}}


async def test_it_is_written_only_when_changed(tmp_path: Path) -> None:
    async with running(make([]), tmp_path) as wire:
        await wire.connect()
        await wire.set("GAIN", value=3)
    before = (tmp_path / "D.json").stat().st_mtime_ns
    async with running(make([]), tmp_path) as wire:
        await wire.connect()
        await wire.set("GAIN", value=3)
    assert (tmp_path / "D.json").stat().st_mtime_ns == before


async def test_config_process(tmp_path: Path) -> None:
    given: list[float] = []
    async with running(make(given), tmp_path) as wire:
        await wire.connect()
        assert wire.engine.runners["D"].lives["CONFIG_PROCESS"].prop.state is State.OK
        await wire.set("GAIN", value=5)
        await wire.set("CONFIG_PROCESS", CONFIG_SAVE=True)
        assert json.loads((tmp_path / "D.json").read_text()) == {"GAIN": {"value": 5}}
        await wire.set("CONFIG_PROCESS", CONFIG_LOAD=True)
        await wire.set("CONFIG_PROCESS", CONFIG_DEFAULT=True)
        assert given == [5, 5, 10]
        answer = await wire.set("CONFIG_PROCESS", CONFIG_PURGE=True)
        assert (answer.state, set(values(answer).values())) == (State.OK, {"Off"})
        assert not (tmp_path / "D.json").exists()


async def test_a_folder_that_cannot_be_written_costs_only_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with running(make([]), tmp_path / "file" / "below") as wire:
        await wire.connect()
        await wire.set("GAIN", value=5)
        await wire.set("CONFIG_PROCESS", CONFIG_SAVE=True)
        said = await wire.until(Message)
        assert said.message.startswith("settings cannot be saved: ")
        await anyio.wait_all_tasks_blocked()
