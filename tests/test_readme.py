"""The README's promises, as a person who has just cloned the project tries them."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import peers
from tests.peers import HERE, ROOT

README = ROOT.joinpath("README.md").read_text()
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "_build", "_generated")


def test_the_ten_lines_are_the_example() -> None:
    [shown] = re.findall(r"^```python\n# led\.py\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    example = ROOT.joinpath("examples/led.py").read_text()
    assert statements(shown) == statements(example)[: len(statements(shown))]


def statements(source: str) -> list[str]:
    """As Python reads them, without the file's docstring."""
    body = ast.parse(source).body
    first_line_is_docstring = isinstance(body[0], ast.Expr)
    return [ast.unparse(statement) for statement in body[first_line_is_docstring:]]


@pytest.mark.timeout(300)
def test_the_command_starts_the_lamp(tmp_path: Path) -> None:
    """The first command of the README, to the letter, but for the port; pip gets what it needs from its index."""
    checkout = tmp_path / "indiflask"
    shutil.copytree(ROOT, checkout, ignore=LEFT_OUT)
    [command] = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    install, _, run = command.rpartition(" && ")
    subprocess.run(["sh", "-c", install], cwd=checkout, check=True, timeout=240)
    port = peers.free_port()
    environment = {"STATE_DIRECTORY": str(tmp_path / "state"), "PYTHONPATH": ""}
    command_line = [*run.split(), "--port", str(port)]
    with peers.started(checkout / command_line[0], *command_line[1:], port=port, cwd=checkout, env=environment) as lamp:
        lamp.wait_for_output(f"{HERE}:{port}")
        for tool, argument in re.findall(r"^(indi_[gs]etprop) (\S+)$", README, re.MULTILINE):
            assert peers.tool(tool, port, argument, seconds=10).returncode == 0
        peers.indi_eval(port, '"Garden.LED.on" == 1 && "Garden.LED._STATE" == 1')
