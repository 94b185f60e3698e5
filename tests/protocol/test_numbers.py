"""Numbers: what is read, what is refused, and what formats show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indiflask.protocol import NumberError, check_format, format_number, number_text, parse_number
from indiflask.protocol.numbers import exact_text
from tests.protocol.samples import floats


@pytest.mark.parametrize(
    "text, value",
    [
        ("5", 5),
        (" -3.5\n", -3.5),
        ("+.5", 0.5),
        ("2.", 2),
        ("1.5e3", 1500),
        ("1E-2", 0.01),
        ("12:30", 12.5),
        ("12:30:36", 12.51),
        ("-0:30:00", -0.5),
        ("-0:0:36", -0.01),
        ("12;30;36", 12.51),
        ("12 30 36", 12.51),
        ("-0  30", -0.5),
        ("0:00:00.36", 0.0001),
        ("0:30.6", 0.51),
        ("1 : 30", 1.5),
    ],
)
def test_parse(text: str, value: float) -> None:
    assert parse_number(text) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "nan",
        "inf",
        "-Infinity",
        "0x1F",
        "1_000",
        "1,5",
        "1:2:3:4",
        "1:-30",
        "1.5:30",
        "1::30",
        "1:",
        ":30",
        "1e999",
        "٣",
        "--1",
        "1 e3",
        "1e",
        "9" * 1000,
        "1:2.5:3",
        "9" * 399 + ":0",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(NumberError):
        parse_number(text)


def test_a_refusal_says_what_would_be_right() -> None:
    with pytest.raises(NumberError, match=r"'abc' is no number; right would be 12.5, -3 or 12:30:00"):
        parse_number("abc")


@pytest.mark.parametrize(
    "format, value, text",
    [
        ("%9.6m", 1.999999, "  2:00:00"),
        ("%010.6m", 1.5, "   1:30:00"),
        ("%10.6m", -0.5, "  -0:30:00"),
        ("%12.9m", 12.5125, " 12:30:45.00"),
        ("%.9m", 59.9999999, "60:00:00.00"),
        ("%.8m", 12.5125, "12:30:45.0"),
        ("%.8m", 1 - 1e-9, "1:00:00.0"),
        ("%.5m", 12.51, "12:30.6"),
        ("%.5m", 0.99999, "1:00.0"),
        ("%7.3m", 12.5, "  12:30"),
        ("%.3m", 0.9999, "1:00"),
        ("%m", 1.5, "1:30:00"),
        ("%8.4m", 1.5, "    1:30"),
        ("%.0m", 1.5, "1:30"),
        ("%.20m", 1.5, "1:30:00.00"),
        ("%-9.6m|", 1.5, "1:30:00  |"),
        ("%.6m", -1e-9, "0:00:00"),
        ("%.6m", -359.99999, "-360:00:00"),
        ("%5.2f", 1.005, " 1.00"),
        ("%.f", 2.4, "2"),
        ("%g", 0.1, "0.1"),
        ("%d", 1.9999999, "2"),
        ("%04i", -3, "-003"),
        ("%u", 3, "3"),
        ("%x", 255, "ff"),
        ("%#o", 8, "10"),
        ("%ld", 5, "5"),
        ("%e", 12345, "1.234500e+04"),
        ("%+.1f %%", 5, "+5.0 %"),
    ],
)
def test_format(format: str, value: float, text: str) -> None:
    assert format_number(format, value) == text


@pytest.mark.parametrize(
    "format", ["", "5", "%", "%s", "%d %d", "%5", "%n", "%*d", "%999999999d", "%.999f", "%(x)d", "%c", "%٣d", "%%"]
)
def test_no_formats(format: str) -> None:
    with pytest.raises(NumberError):
        check_format(format)
    with pytest.raises(NumberError):
        format_number(format, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("format", ["%.2f", "%d", "%9.6m"])
def test_what_is_not_finite_is_not_shown(format: str, value: float) -> None:
    with pytest.raises(NumberError):
        format_number(format, value)


@given(st.floats(-1e6, 1e6), st.sampled_from([(3, 60), (5, 600), (6, 3600), (8, 36000), (9, 360000)]))
def test_sexagesimal_shows_the_nearest_and_never_sixty(value: float, fraction: tuple[int, int]) -> None:
    width, units = fraction
    text = format_number(f"%.{width}m", value)
    assert all(float(part) < 60 for part in text.split(":")[1:])
    assert abs(parse_number(text) - value) <= 0.5 / units + 1e-9


@given(floats)
def test_exact_text_is_exact(value: float) -> None:
    assert parse_number(exact_text(value)) == value


@pytest.mark.parametrize(
    "value, text", [(0.1 + 0.2, "0.3"), (5.0, "5"), (18.099999999999973, "18.1"), (1e20, "1e+20"), (-0.5, "-0.5")]
)
def test_number_text_has_no_binary_noise(value: float, text: str) -> None:
    assert number_text(value) == text
