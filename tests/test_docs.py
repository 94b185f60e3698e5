"""The documentation, run: each page's Python blocks as one module, and each console session as it stands.

A page's blocks are taken in their order. A Python block with a file's name is saved as that file, over the one before.
In a ``console`` block, ``$ indiflask run`` and ``$ indiserver`` start a server (on a free port) that lasts until the
next such line; what stands below such a line it must say sooner or later, and the lines of a ``text`` block, in their
order. Any other command runs to its end, and must print what stands below it and nothing else. ``...`` stands for
anything, a time for any time.
"""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import indiflask
from indiflask.options import Options
from tests import peers
from tests.peers import EXAMPLES, HERE, INDIFLASK, ROOT, Program

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CLOCK = re.compile(r"\d\d:\d\d:\d\d")
SAID_SECONDS = 10.0
"""For a server to say what a page promises."""
FENCE = re.compile(r"^```(?:\{code-block\} )?(\w+)\n(?::caption: (\S+)\n\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r"^```\{literalinclude\} (\S*examples/(\S+\.py))$", re.MULTILINE)
IMPORT = """
import os, runpy, sys
from indiflask.gpio import mock_pins_without_gpio
from indiflask.target import importing
mock_pins_without_gpio()
importing.set(True)
page = runpy.run_path(sys.argv[1], run_name="page")
for name, value in page.items():
    if name.startswith("test_"):
        value()
os._exit(0)  # gpiozero's threads do not end by themselves
"""


@dataclass(frozen=True)
class Block:
    language: str
    file: str
    text: str


def all_blocks(page: Path) -> list[Block]:
    return [Block(*match.groups(default="")) for match in FENCE.finditer(page.read_text())]


def blocks(page: Path, language: str) -> list[Block]:
    return [block for block in all_blocks(page) if block.language == language]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def modules(page: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each: a block with a file name begins one, those that follow without a name go on with it."""
    parts: list[list[str]] = []
    for block in blocks(page, "python"):
        if block.file or not parts:
            parts.append([])
        parts[-1].append(block.text)
    stem = re.sub(r"\W", "_", page_name(page).removesuffix(".md"))
    for number, part in enumerate(parts):
        yield f"{stem}_{number}.py", "\n\n".join(part)


@pytest.mark.parametrize("page", pages_with("python"), ids=page_name)
def test_python_runs(page: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "GPIOZERO_PIN_FACTORY": "mock", "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin"}
    for name, text in modules(page):
        tmp_path.joinpath(name).write_text(text)
        command = [sys.executable, "-W", "error", "-c", IMPORT, str(tmp_path / name)]
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
        assert result.returncode == 0, result.stderr


def test_python_is_typed(tmp_path: Path) -> None:
    for page in pages_with("python"):
        for name, text in modules(page):
            tmp_path.joinpath(name).write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_option_is_explained() -> None:
    rows = re.findall(r"^\| (`.*?) \|", ROOT.joinpath("docs/reference/app.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(Options.__annotations__)


def test_docstrings_are_right() -> None:
    modules = [info.name for info in pkgutil.walk_packages(indiflask.__path__, "indiflask.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


@pytest.mark.parametrize("page", pages_with("console"), ids=page_name)
def test_console(page: Path, tmp_path: Path) -> None:
    for _, name in INCLUDED.findall(page.read_text()):
        tmp_path.joinpath(name).write_bytes(EXAMPLES.joinpath(name).read_bytes())
    with Console(tmp_path) as console:
        for block in all_blocks(page):
            match block.language:
                case "python" if block.file:
                    tmp_path.joinpath(block.file).write_text(block.text)
                case "text":
                    console.says(block.text.strip().replace("\n", "\n..."))  # other lines may stand between
                case "console":
                    for command, expected in commands(block.text):
                        console.run(command, expected)


def commands(session: str) -> Iterator[tuple[list[str], str]]:
    for entry in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, expected = entry.partition("\n")
        yield shlex.split(command), expected.strip()


def fits(expected: str) -> str:
    """As a regular expression."""
    return CLOCK.sub(CLOCK.pattern.replace("\\", r"\\"), re.escape(expected)).replace(re.escape("..."), ".*")


class Console(ExitStack):
    """A terminal in a folder, and at most one server that was started in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.server: Program | None = None
        self.path = f"{INDIFLASK.parent}:{os.environ['PATH']}"
        self.state = {"PATH": self.path, "STATE_DIRECTORY": str(folder / "state")}

    def run(self, command: list[str], expected: str) -> None:
        match command:
            case ["indiflask", "run", target, *options]:
                self.serve(peers.indiflask_run(target, *options, env=self.state, cwd=self.folder))
                self.says("Ctrl-C ends it")  # a person waits for that line
            case ["indiserver", *drivers]:
                self.serve(peers.indiserver(*(self.folder / driver for driver in drivers), env=self.state))
            case _:
                self.once(command, expected)
                return
        self.says(expected)

    def says(self, expected: str) -> None:
        """The server does, soon."""
        assert self.server is not None
        deadline = time.monotonic() + SAID_SECONDS
        while not re.search(
            fits(expected), shown := self.server.output.replace(str(self.server.port), "7624"), re.DOTALL
        ):
            assert time.monotonic() < deadline, shown
            time.sleep(peers.PAUSE_SECONDS)

    def serve(self, server: peers.Serving) -> None:
        self.close()  # the one before, as a person does before starting the next
        self.server = self.enter_context(server)

    def once(self, command: list[str], expected: str) -> None:
        name, *arguments = command
        if name in ("indi_getprop", "indi_setprop", "indi_eval"):
            assert self.server is not None
            arguments = ["-h", HERE, "-p", str(self.server.port), "-t", "10", *arguments]
        # A person types slower than we do, and then a request that went before has been answered.
        deadline = time.monotonic() + (SAID_SECONDS if name == "indi_getprop" else 0)
        while True:
            result = subprocess.run(
                [name, *arguments],
                cwd=self.folder,
                env={**os.environ, "PATH": self.path},
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            printed = result.stdout + result.stderr
            right = re.fullmatch(fits(expected), printed.strip(), re.DOTALL) and result.returncode == 0
            if right or time.monotonic() > deadline:
                break
        assert right, f"$ {shlex.join(command)}\n{printed}\n{self.server and self.server.output}"
