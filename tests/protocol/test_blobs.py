"""BLOBs: base64 that is checked, and zlib that is bounded."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indiflask.protocol import OneBlob, ProtocolError, compress, decode_base64, decode_blob, decompress, encode_base64


@given(st.binary(), st.lists(st.tuples(st.integers(0, 400), st.sampled_from([b"\n", b" ", b"\r\n", b"\t"]))))
def test_there_and_back_with_any_layout(data: bytes, breaks: list[tuple[int, bytes]]) -> None:
    text = encode_base64(data)
    for place, white in breaks:
        text = text[:place] + white + text[place:]
    assert decode_base64(text, len(data)) == data


@pytest.mark.parametrize(
    "text, size, why, at",
    [
        (b"QUJD", None, "needs the attribute size", 0),
        (b"QUJD", 4, "holds 3 bytes, but its size says 4", 0),
        (b"QUJD", 999_999_999, "holds 3 bytes", 0),
        (b"QU*D", 3, "'*' is no base64", 2),
        (b"QU-_", 3, "'-' is no base64", 2),
        (b"QUJDRA", 4, "broken", 6),
        (b"QQ==QQ==", 2, "broken", 8),
        (b"Q===", 1, "broken", 4),
    ],
)
def test_refused(text: bytes, size: int | None, why: str, at: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_base64(text, size)
    assert why in caught.value.why
    assert caught.value.at == at


DATA = bytes(range(256)) * 8
PACKED = compress(DATA)


@pytest.mark.parametrize("size", [len(DATA), len(PACKED)])
def test_a_compressed_blob_may_count_either_size(size: int) -> None:
    assert decode_blob(OneBlob("A", size, ".fits.z", encode_base64(PACKED))) == DATA


@pytest.mark.parametrize("size, why", [(5, "its size says 5"), (None, "needs the attribute size")])
def test_a_compressed_blob_of_another_size(size: int | None, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        decode_blob(OneBlob("A", size, ".fits.z", encode_base64(PACKED)))


def test_a_plain_blob() -> None:
    assert decode_blob(OneBlob("A", 3, ".txt", b"QUJD")) == b"ABC"


@pytest.mark.parametrize(
    "data, why",
    [
        (zlib.compress(bytes(2000)), "more than 1000 bytes"),
        (zlib.compress(bytes(100_000_000)), "more than 1000 bytes"),
        (PACKED[:20], "ends early"),
        (b"", "ends early"),
        (b"no zlib", "not zlib"),
        (compress(b"x") + b"tail", "4 bytes follow"),
    ],
)
def test_inflating_is_bounded_and_checked(data: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        decompress(data, 1000)


def test_inflating_up_to_the_limit() -> None:
    assert decompress(compress(bytes(1000)), 1000) == bytes(1000)
