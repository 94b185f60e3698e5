"""What the package shows to the world, and the rules that no checker knows."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

import indiflask
from tests.peers import ROOT

SOURCES = sorted((ROOT / "indiflask").rglob("*.py"))
EXPORTED = [getattr(indiflask, name) for name in indiflask.__all__]


def test_exports_are_exactly_these() -> None:
    imported = {
        alias.name
        for node in ast.walk(ast.parse(Path(indiflask.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("indiflask")
        for alias in node.names
    }
    assert imported == set(indiflask.__all__)
    assert indiflask.__all__ == sorted(indiflask.__all__)


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Ap' from 'indiflask'"):
        exec("from indiflask import Ap")


def documented() -> Iterator[tuple[str, object]]:
    for exported in EXPORTED:
        yield exported.__name__, exported
        for name, value in vars(exported).items():
            if not name.startswith("_") and isinstance(value, FunctionType | property | classmethod):
                yield f"{exported.__name__}.{name}", value


@pytest.mark.parametrize("name, thing", list(documented()), ids=lambda x: x if isinstance(x, str) else "")
def test_public_names_say_what_they_are_for(name: str, thing: object) -> None:
    assert inspect.getdoc(thing), f"{name} has no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_assert_in_the_package(path: Path) -> None:
    """`python -O` drops them, and what users write is never to be checked by one."""
    found = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
    assert not found, f"assert in lines {found}: raise an error that says what was found"


def test_import_loads_no_backend_no_pins_and_no_command_line() -> None:
    heavy = {"asyncio", "trio", "uvloop", "gpiozero", "typer", "ssl"}
    script = f"import sys; from indiflask import *; print(*({heavy!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == []


def test_every_module_says_what_it_is_for() -> None:
    assert [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))] == []
