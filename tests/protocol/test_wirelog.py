"""One readable line of log for whatever crosses the wire."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indiflask.protocol import shorten


@pytest.mark.parametrize(
    "data, line",
    [
        (b"<a\n  b='1'\n>\n\tx</a>\n", "<a b='1' > x</a>"),
        (b"<a>\xff\x1b[31m</a>", "<a>��[31m</a>"),
        (
            b"<s><oneBLOB name='A'>" + b"QUJD" * 100 + b"</oneBLOB></s>",
            "<s><oneBLOB name='A'>[400 bytes]</oneBLOB></s>",
        ),
        (b"<s><oneBLOB name='A'>QUJD</oneBLOB></s>", "<s><oneBLOB name='A'>QUJD</oneBLOB></s>"),
        (b"<oneBLOB>" + b"Q" * 9000, "<oneBLOB>[9000 bytes]"),
        (b"x" * 5000, "x" * 400 + "… [5000 bytes]"),
    ],
)
def test_shorten(data: bytes, line: str) -> None:
    assert shorten(data) == line


@given(st.binary(max_size=600))
def test_always_one_short_printable_line(data: bytes) -> None:
    line = shorten(data)
    assert len(line) < 450
    assert line.isprintable()


def test_a_large_blob_costs_nothing() -> None:
    data = b"<oneBLOB>" + b"Q" * 30_000_000 + b"</oneBLOB>"
    start = time.process_time()
    assert shorten(data) == "<oneBLOB>[30000000 bytes]</oneBLOB>"
    assert time.process_time() - start < 0.5
