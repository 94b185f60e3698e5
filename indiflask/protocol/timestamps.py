"""INDI's timestamps: ``2026-11-23T13:44:05`` or with a fraction, in UTC, without a zone.

What comes is read with more patience than what we write: other programs append ``Z`` or an offset, which is
converted, not merely dropped, and fractions of more than six digits.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["format_timestamp", "parse_timestamp"]

_TIMESTAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(?:[Zz]|([+-])(\d\d):?(\d\d))?", re.ASCII
)


def parse_timestamp(text: str) -> datetime | None:
    """The moment that a timestamp means, aware and in UTC; None if it means none.

    An unreadable timestamp is no reason to lose the values that came with it. Fractions are cut to microseconds.
    """
    found = _TIMESTAMP.fullmatch(text.strip())
    if found is None:
        return None
    second, fraction, sign, hours, minutes = found.group(6, 7, 8, 9, 10)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    year, month, day, hour, minute = map(int, found.group(1, 2, 3, 4, 5))
    try:
        moment = datetime(year, month, day, hour, minute, int(second or 0), microsecond, UTC)
        if sign is None:
            return moment
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):  # the 31st of February; the year 0
        return None


def format_timestamp(moment: datetime) -> str:
    """A moment as INDI writes it: UTC, no zone, a fraction only where there is one. Naive ones are taken as UTC."""
    if moment.tzinfo is UTC:
        return moment.isoformat()[: -len("+00:00")]
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()
