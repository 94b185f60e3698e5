"""``docs/parity.md`` names each id of the peers' features, and only tests that exist."""

from __future__ import annotations

import re

from tests.peers import ROOT

PARITY = ROOT.joinpath("docs/parity.md").read_text()
IDS = {
    "D": [*range(1, 21), *range(25, 32), *range(40, 60), *range(70, 81), *range(90, 97)],
    "S": [*range(1, 19), *range(30, 37), *range(40, 47)],
    "C": [*range(1, 34)],
    "T": [*range(1, 16)],
    "W": [*range(1, 10), *range(20, 41)],
}


def test_every_id_has_a_row() -> None:
    named: set[str] = set()
    for first, letter, low, _, high in re.findall(r"((\w)-(\d+))(?: … (\w)-(\d+))?", " ".join(first_cells())):
        named |= {f"{letter}-{number}" for number in range(int(low), int(high or low) + 1)} if high else {first}
    assert named == {f"{letter}-{number}" for letter, numbers in IDS.items() for number in numbers}


def first_cells() -> list[str]:
    return re.findall(r"^\| ([^|]*\d[^|]*) \|", PARITY, re.MULTILINE)


def test_every_row_says_where_ours_is() -> None:
    for row in re.findall(r"^\| [DSCTW]-.*$", PARITY, re.MULTILINE):
        assert re.search(r"`tests/|decisions/|issue \d", row.rsplit("|", 2)[1]), row


def test_every_test_that_is_named_exists() -> None:
    for path, function in re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", PARITY):
        source = ROOT.joinpath(path).read_text()
        assert f"def {function}(" in source if function else "def test_" in source, f"{path}::{function}"
