"""A client that keeps what it hears as KStars does, and the programs whose children are watched here."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from xml.etree.ElementTree import Element, XMLPullParser
from xml.sax.saxutils import escape

from tests.conftest import StartServer
from tests.peers import HERE, PAUSE_SECONDS, READY_SECONDS, Program

ASK = '<getProperties version="1.7"/>'
TIMES = ("timestamp", "message", "timeout")
"""What belongs to one message, and not to the property."""


def app(more: str = "", *, device: str = "D") -> str:
    """An app's source. It writes down which processes import it, and tells clients which one speaks for it."""
    return f"""
import os, signal, subprocess, sys, threading, time
from collections.abc import AsyncIterator, Iterator
from indiflask import App

with open(__file__ + ".pids", "a") as log:
    print(os.getpid(), file=log)
app = App("{device}")
app.published("PID", str, when="always").publish(str(os.getpid()))
{more}
"""


class Mirror:
    """One connection. What came is looked at by ``update``; ``faults`` is what KStars would stumble over."""

    def __init__(self, port: int, *said: str) -> None:
        self.socket = socket.create_connection((HERE, port))
        self.socket.setblocking(False)
        self.properties: dict[str, dict[str, Any]] = {}
        self.heard: list[str] = []
        """``def D.PROPERTY``, ``set D.PROPERTY`` …, in the order that they came."""
        self.texts: list[str] = []
        self.faults: list[str] = []
        self.blobs = 0
        self._parser: Any = XMLPullParser(("start", "end"))
        self._parser.feed("<stream>")
        self._depth = 0
        self.say(*(said or (ASK,)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *texts: str) -> None:
        for text in texts:
            self.socket.sendall(text.encode())  # far less than a socket holds

    def ask(self, name: str, **members: str) -> None:
        """Request members of ``"D.PROPERTY"``, of the kind that it has."""
        device, _, prop = name.partition(".")
        kind = self.properties[name]["kind"]
        ones = "".join(f'<one{kind} name="{member}">{escape(value)}</one{kind}>' for member, value in members.items())
        self.say(f'<new{kind}Vector device="{device}" name="{prop}">{ones}</new{kind}Vector>')

    def value(self, name: str) -> str | None:
        """Of ``"D.PROPERTY.MEMBER"``, after taking in all that has come."""
        self.update()
        prop, _, member = name.rpartition(".")
        there = self.properties.get(prop)
        return there["members"][member]["value"] if there else None

    def state(self, name: str) -> str:
        self.update()
        return str(self.properties[name]["state"]) if name in self.properties else "not there"

    @property
    def states(self) -> set[str]:
        """All that there are."""
        self.update()
        return {there["state"] for there in self.properties.values()}

    def until(self, true: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
        """Wait for this while taking in what comes."""

        def now() -> bool:
            self.update()
            return true()

        until(now, lambda: f"{what}; heard: {self.heard[-30:]}, {self.texts[-5:]}", seconds)

    def until_defined(self, name: str) -> None:
        self.until(lambda: name in self.properties, f"{name} is not defined")

    def until_value(self, name: str, value: str) -> None:
        self.until(lambda: self.value(name) == value, f"{name} is not {value}, but {self.value(name)}")

    def until_state(self, name: str, *states: str) -> None:
        self.until(lambda: self.state(name) in states, f"{name} is not {states}, but {self.state(name)}")

    def until_states(self, *states: str) -> None:
        """Of everything that there is."""
        self.until(lambda: self.states == set(states), f"states are not {states}, but {self.states}")

    def until_like(self, other: Mirror) -> None:
        """Properties, limits, values and states are the same."""

        def same() -> bool:
            other.update()
            return self.properties == other.properties

        self.until(same, f"it has {self.properties}, and the other one has {other.properties}")

    def until_told(self, text: str) -> None:
        self.until(lambda: any(text in said for said in self.texts), f"no message says {text!r}")

    def until_running(self, *, not_pid: int | None = None, device: str = "D") -> int:
        """The pid of the process that speaks for a device, once another one does and all is well."""
        name = f"{device}.PID"
        self.until(
            lambda: self.value(f"{name}.PID") not in (None, str(not_pid)) and self.state(name) != "Alert",
            f"{name} is not told by another than {not_pid}",
        )
        return int(self.value(f"{name}.PID") or 0)

    def take(self) -> list[str]:
        """What was heard since the last time."""
        self.update()
        heard, self.heard = self.heard, []
        return heard

    def update(self) -> None:
        """Take in all that has come."""
        try:
            while data := self.socket.recv(1 << 20):
                self._parser.feed(data)
        except BlockingIOError:
            pass
        else:
            raise AssertionError(f"the connection was closed; heard: {self.heard[-30:]}, {self.texts[-5:]}")
        for event, element in self._parser.read_events():
            self._depth += 1 if event == "start" else -1
            if event == "end" and self._depth == 1:
                self._apply(element)

    def _apply(self, element: Element) -> None:
        name = f"{element.get('device')}.{element.get('name')}"
        if element.get("message"):
            self.texts.append(element.attrib["message"])
        match element.tag[:3]:
            case "def":
                self._define(name, element)
            case "set":
                self._set(name, element)
            case "del":
                self._delete(element)
            case _:
                return
        self.heard.append(f"{element.tag[:3]} {name}")

    def _define(self, name: str, element: Element) -> None:
        if name in self.properties:
            self.faults.append(f"{name} is defined twice: KStars drops the second one")
            return
        members = {one.attrib["name"]: {**one.attrib, "value": (one.text or "").strip()} for one in element}
        attributes = {key: value for key, value in element.attrib.items() if key not in TIMES}
        self.properties[name] = {**attributes, "kind": element.tag[3:-6], "members": members}

    def _set(self, name: str, element: Element) -> None:
        if name not in self.properties:
            self.faults.append(f"{name} is set, and not defined")
            return
        there = self.properties[name]
        there["state"] = element.get("state", there["state"])
        if element.tag == "setBLOBVector":
            self.blobs += len(element)
            return
        for one in element:
            there["members"][one.attrib["name"]]["value"] = (one.text or "").strip()

    def _delete(self, element: Element) -> None:
        name = element.get("name")
        whole = f"{element.get('device')}.{name}" if name else str(element.get("device"))
        gone = [one for one in self.properties if (one if name else one.rpartition(".")[0]) == whole]
        if not gone:
            self.faults.append(f"{whole} is deleted, and not there")
        for one in gone:
            del self.properties[one]


class Bench:
    """Serves sources as files of a folder, with clients that are closed after the test."""

    def __init__(self, run: StartServer, folder: Path, cleanup: ExitStack) -> None:
        self._run = run
        self._cleanup = cleanup
        self.folder = folder
        self.file = folder / "d.py"

    def __call__(self, source: str, *options: str | Path) -> tuple[Program, Mirror]:
        """Serve this as ``d.py``. A client that knows all that there is."""
        self.file.write_text(source)
        program = self.run(*options)
        client = self.client(program)
        client.until(lambda: "D.DRIVER_INFO" in client.properties and "D.PID" in client.properties, "D is not there")
        return program, client

    def run(self, *options: str | Path) -> Program:
        """Serve the file as it is, even if that cannot be loaded."""
        program = self._run(self.file, *options)
        self._cleanup.callback(lambda: print(program.output))  # pytest shows it where the test has failed
        return program

    def drivers(self, *targets: str | Path) -> Program:
        """Serve these, whatever they are."""
        program = self._run(*targets)
        self._cleanup.callback(lambda: print(program.output))
        return program

    def client(self, program: Program, *said: str) -> Mirror:
        return self._cleanup.enter_context(Mirror(program.port, *said))

    @cached_property
    def other(self) -> Path:
        """One more target, with a device E."""
        path = self.folder / "e.py"
        path.write_text(app(device="E"))
        return path

    @property
    def imports(self) -> list[int]:
        """The processes that have imported ``d.py``, the first one first."""
        log = Path(f"{self.file}.pids")
        return [int(line) for line in log.read_text().splitlines()] if log.exists() else []

    def until_imported(self, times: int) -> int:
        """The pid of the process that has imported it as the so many-th one."""
        until(lambda: len(self.imports) >= times, lambda: f"imported by {self.imports}")
        return self.imports[times - 1]


def until(true: Callable[[], object], what: Callable[[], str], seconds: float = READY_SECONDS) -> None:
    """Wait for something that nobody tells of."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(PAUSE_SECONDS)


def save(path: Path, text: str) -> None:
    """As editors do: written beside it, and moved over it."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def runs(pid: int) -> bool:
    """Whether a process is there, and not only waits for somebody to take note of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    """As the kernel does when memory runs out."""
    os.kill(pid, signal.SIGKILL)


def descriptors(program: Program) -> int:
    """How many files and sockets it has open."""
    return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))
