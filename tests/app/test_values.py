"""What handlers take and give."""

from __future__ import annotations

import io
import zlib
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import pytest

from indiflask import Blob, Member, Number, Reply, State, Update

PIXELS = bytes(range(256))


@pytest.mark.parametrize(
    "data",
    [
        PIXELS,
        bytearray(PIXELS),
        memoryview(PIXELS),
        array("B", PIXELS),
        io.BytesIO(PIXELS),
    ],
    ids=["bytes", "bytearray", "memoryview", "array", "file"],
)
def test_a_blob_is_made_of_anything_with_bytes(data: bytes) -> None:
    blob = Blob(data, ".raw")
    assert (len(blob.data), blob.format, blob.size) == (256, ".raw", 256)


def test_a_numpy_array_is_sent_in_c_order() -> None:
    image: Any = np.arange(6, dtype=">u2").reshape(2, 3)  # numpy's stubs show its buffer from Python 3.12 on
    assert Blob(image.T).data == image.T.tobytes("C")
    assert Blob(image).size == 12


@pytest.mark.parametrize("name, expected", [("m31.fits", ".fits"), ("m31.tar.gz", ".tar.gz"), ("m31", ".bin")])
def test_a_path_gives_its_suffix(tmp_path: Path, name: str, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(PIXELS)
    assert (Blob(path).data, Blob(path).format) == (PIXELS, expected)
    with path.open("rb") as file:
        assert Blob(file).format == expected
    assert Blob(path, ".raw").format == ".raw"


def test_what_cannot_be_a_blob_is_refused_where_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Blob(tmp_path / "gone.fits")
    with pytest.raises(TypeError, match="not of a str"):
        Blob("m31.fits")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="binary mode"):
        Blob(io.StringIO("text"))  # type: ignore[arg-type]


def test_each_blob_knows_its_own_size() -> None:
    assert [Blob(b"x" * size).size for size in (20, 8, 0)] == [20, 8, 0]


def test_compressed_it_travels_as_zlib_and_says_so() -> None:
    blob = Blob(b"0" * 10_000, ".fits", compress=True)
    assert (blob.wire_format, blob.size, blob.format) == (".fits.z", 10_000, ".fits")
    assert zlib.decompress(pybase64.b64decode(blob.wire_base64)) == blob.data
    assert len(blob.wire_base64) < 100


def test_it_is_encoded_once() -> None:
    blob = Blob(PIXELS)
    assert blob.wire_base64 is blob.wire_base64
    assert pybase64.b64decode(blob.wire_base64) == PIXELS


def test_blobs_compare_by_what_is_in_them() -> None:
    assert Blob(PIXELS, ".fits") == Blob(bytearray(PIXELS), ".fits")
    assert Blob(PIXELS, ".fits") != Blob(PIXELS, ".jpg")
    assert len({Blob(PIXELS, ".fits"), Blob(PIXELS, ".fits")}) == 1
    assert repr(Blob(PIXELS, ".fits")) == "<Blob .fits 256 bytes>"


def test_a_reply_tells_none_from_nothing() -> None:
    assert not Reply(state=State.ALERT).has_value
    assert Reply(None).has_value
    assert Reply(3, State.IDLE, "parked").state is State.IDLE


@pytest.mark.parametrize(
    "member, label, first",
    [
        (Number("RA", min=0, max=24), "RA", 0),
        (Number("V", label="Volts", min=5, max=12, unit="V"), "Volts [V]", 5),
        (Number("T", min=-20, max=-5), "T", -5),
        (Number("ANY", min=3, max=3), "ANY", 0),
    ],
)
def test_a_members_label_and_first_value(member: Number, label: str, first: float) -> None:
    assert (member.label_text, member.nearest_to_zero) == (label, first)


def test_member_label() -> None:
    assert Member("WHITE", label="Ceiling").label_text == "Ceiling"


def test_an_update_names_the_members_there_are() -> None:
    update = Update("Weather", "WIND", values={"SPEED": 3.0})
    assert update["SPEED"] == 3
    assert "GUST" not in update
    assert list(update) == ["SPEED"]
    with pytest.raises(KeyError, match="has no member 'GUST'; it has: SPEED"):
        update["GUST"]
