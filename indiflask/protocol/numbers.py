"""Numbers as INDI writes them, both ways: printf's formats and sexagesimal. Never by the locale."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

from indiflask.protocol.errors import IndiError
from indiflask.protocol.limits import FORMAT_WIDTH

__all__ = ["NumberError", "check_format", "exact_text", "format_number", "number_text", "parse_number"]


class NumberError(IndiError, ValueError):
    """A text that is no number, or a format that shows none; its text is for people."""


_REAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

#: Two or three parts, between them a colon, a semicolon or blanks; only the last may have a fraction.
_SEXAGESIMAL: Final = re.compile(
    r"([+-]?)(\d+)(?:\s*[:;]\s*|\s+)(?:(\d+)(?:\s*[:;]\s*|\s+))?(\d+(?:\.\d*)?|\.\d+)", re.ASCII
)

#: More digits than any instrument has; int and float take time that grows with the square of the digits.
_LONGEST: Final = 400

_FORMAT: Final = re.compile(
    r"((?:[^%]|%%)*)%([-+ #0]*)(\d*)(?:(\.)(\d*))?(?:hh|h|ll|l|L|q|j|z|t)?([diouxXeEfFgGm])((?:[^%]|%%)*)", re.ASCII
)

#: ``%m``: for each fraction width the units that 1 is divided into, and the digits after the last point.
_SEXAGESIMAL_UNITS: Final = {3: (60, 0), 5: (600, 1), 6: (3600, 0), 8: (36000, 1), 9: (360000, 2)}


class _Format(NamedTuple):
    """A format taken apart; ``precision`` is None where none is written."""

    before: str
    flags: str
    width: int
    precision: int | None
    letter: str
    after: str


def parse_number(text: str) -> float:
    """The number that a text means: ``5``, ``-1.5e3``, ``-0:30:00``, ``12 30 59.5``.

    The sign holds for all parts, so that -0:30 is -0.5. Raises `NumberError` for all else: NaN and infinity, which
    would pass every check of limits, hexadecimal, underscores, more than three parts, and nothing at all.
    """
    trimmed = text.strip()
    if len(trimmed) > _LONGEST:
        raise NumberError(f"a number may have {_LONGEST} characters, not {len(trimmed)}")
    if _REAL.fullmatch(trimmed):
        number = float(trimmed)
        if math.isinf(number):
            raise NumberError(f"{trimmed!r} is too large a number")
        return number
    found = _SEXAGESIMAL.fullmatch(trimmed)
    if found is None:
        raise NumberError(f"{trimmed!r} is no number; right would be 12.5, -3 or 12:30:00")
    sign, whole, minutes, last = found.groups()
    if minutes is None:
        minutes, last = last, "0"
    number = float(whole) + float(minutes) / 60 + float(last) / 3600
    if math.isinf(number):
        raise NumberError(f"{trimmed!r} is too large a number")
    return -number if sign == "-" else number


def number_text(value: float) -> str:
    """A value as we send it: 15 digits, so that 0.1 + 0.2 is 0.3 and not 0.30000000000000004."""
    return f"{value:.15g}"


def exact_text(value: float) -> str:
    """The shortest text that `parse_number` reads as exactly this value: for limits, which must not creep."""
    text = repr(float(value))
    return text.removesuffix(".0")


def check_format(format: str) -> None:
    """Raise `NumberError` where a format is not one that `format_number` can use."""
    _parse_format(format)


def format_number(format: str, value: float) -> str:
    """A value as its definition's format shows it: printf's, or ``%<width>.<fraction>m`` for sexagesimal.

    The fraction 9 means d:mm:ss.ss, 8 d:mm:ss.s, 6 (also where none is given) d:mm:ss, 5 d:mm.m, 3 d:mm; others
    are taken for the next smaller one. Rounding carries: 1.999999 is 2:00:00. Raises `NumberError` for a format that
    is none, and for values that are not finite.
    """
    parts = _parse_format(format)
    if not math.isfinite(value):
        raise NumberError(f"{value} is no number that a format could show")
    if parts.letter == "m":
        shown = _sexagesimal(value, 6 if parts.precision is None else parts.precision)
        shown = shown.ljust(parts.width) if "-" in parts.flags else shown.rjust(parts.width)
    else:
        shown = _printf(parts, value)
    return parts.before + shown + parts.after


def _parse_format(format: str) -> _Format:
    found = _FORMAT.fullmatch(format)
    if found is None:
        raise NumberError(f"{format!r} is no number format; right would be %.2f, %d or %9.6m")
    before, flags, width, point, precision, letter, after = found.groups()
    if len(width) > 4 or len(precision or "") > 4 or max(int(width or 0), int(precision or 0)) > FORMAT_WIDTH:
        raise NumberError(f"{format!r} is wider than {FORMAT_WIDTH}")
    asked = None if point is None else int(precision or 0)
    return _Format(before.replace("%%", "%"), flags, int(width or 0), asked, letter, after.replace("%%", "%"))


def _printf(parts: _Format, value: float) -> str:
    """C's printf, but that an integer's format rounds, where C would read the bytes of a double as an int."""
    width = str(parts.width) if parts.width else ""
    precision = "" if parts.precision is None else f".{parts.precision}"
    letter = "d" if parts.letter in "iu" else parts.letter
    flags = parts.flags.replace("#", "")  # which would write 0o10 where C writes 010
    number = round(value) if letter in "doxX" else value
    return f"%{flags}{width}{precision}{letter}" % number


def _sexagesimal(value: float, fraction: int) -> str:
    units, digits = _SEXAGESIMAL_UNITS[max((known for known in _SEXAGESIMAL_UNITS if known <= fraction), default=3)]
    total = math.floor(abs(value) * units + 0.5)  # in the smallest unit shown, so that nothing shown can be 60
    whole, rest = divmod(total, units)
    sign = "-" if value < 0 and total else ""
    scale = 10**digits
    if units < 3600:
        minutes, last = divmod(rest, scale)
        text = f"{sign}{whole}:{minutes:02d}"
    else:
        minutes, rest = divmod(rest, 60 * scale)
        seconds, last = divmod(rest, scale)
        text = f"{sign}{whole}:{minutes:02d}:{seconds:02d}"
    return f"{text}.{last:0{digits}d}" if digits else text
