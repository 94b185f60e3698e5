"""Timestamps: zones converted, fractions of any length, nonsense no reason to fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indiflask.protocol import format_timestamp, parse_timestamp

MOMENT = datetime(2026, 11, 23, 13, 44, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-11-23T13:44:05", MOMENT),
        (" 2026-11-23 13:44:05Z\n", MOMENT),
        ("2026-11-23T15:44:05+02:00", MOMENT),
        ("2026-11-23T08:14:05-0530", MOMENT),
        ("2026-11-24T03:44:05+14:00", MOMENT),
        ("2026-11-23T13:44:05.5Z", MOMENT.replace(microsecond=500_000)),
        ("2026-11-23T13:44:05,25", MOMENT.replace(microsecond=250_000)),
        ("2026-11-23T13:44:05.123456789", MOMENT.replace(microsecond=123_456)),
        ("2026-11-23T13:44", MOMENT.replace(second=0)),
    ],
)
def test_parse(text: str, moment: datetime) -> None:
    parsed = parse_timestamp(text)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-02-30T00:00:00",
        "2026-11-23T25:00:00",
        "0000-01-01T00:00:00",
        "20261123T134405",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-11-23T13:44:05 CET",
        "٢٠٢٦-11-23T13:44:05",
    ],
)
def test_no_timestamps(text: str) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    "moment, text",
    [
        (MOMENT, "2026-11-23T13:44:05"),
        (MOMENT.replace(tzinfo=None), "2026-11-23T13:44:05"),
        (MOMENT.replace(microsecond=5), "2026-11-23T13:44:05.000005"),
        (MOMENT.astimezone(timezone(timedelta(hours=2))), "2026-11-23T13:44:05"),
    ],
)
def test_format(moment: datetime, text: str) -> None:
    assert format_timestamp(moment) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_there_and_back(moment: datetime) -> None:
    assert parse_timestamp(format_timestamp(moment)) == moment
