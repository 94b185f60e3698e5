"""The probes that other servers did not survive: each costs nobody but its sender, and every request is answered.

The server is a real one, ``indiflask run``, for the whole module; at the end of each probe another client of it still
gets its answers. R-1 to R-25 number the probes as they were made of the peers.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.peers import HERE, Program, indiflask_run

APP = """
import sys
import time
from typing import Annotated, Literal

import anyio

from indiflask import App, Blob, Number

app = App("D")
other = app.device("E")


@app.number("N")
def number(X: Annotated[float, Number(min=0, max=10)] = 1) -> None: ...

@app.switch("S")
def switch(choice: Literal["A", "B"] = "A") -> None: ...

@app.text("T")
def text(x: str = "") -> None: ...

@app.blob("B")
def upload(data: Blob) -> None: ...

@app.number("R")
def reading() -> float:
    return 3

@app.switch("BLOCK")
def block(on: bool) -> None:
    time.sleep(1)

@app.switch("EXIT")
async def leave(on: bool) -> None:
    sys.exit(3)

@app.switch("HANG", deadline=0.1)
async def hang(on: bool) -> None:
    await anyio.sleep_forever()

@app.switch("RAISE")
def fail(on: bool) -> None:
    raise ValueError("no such thing")

@app.text("WRONG")
def wrong(x: str = "") -> str:
    return 5

@app.text("CONTROL")
def control(x: str = "") -> str:
    return "a\\x00b\\x1bc"

@other.switch("L")
def light(on: bool) -> None: ...
"""
SECONDS = 10.0


class Client:
    """A bare socket; ``heard`` is what came so far."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HERE, port), timeout=SECONDS)
        self.heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *data: bytes) -> None:
        for piece in data:
            self.socket.sendall(piece)

    def until(self, text: bytes) -> bytes:
        """All that came, up to and with this."""
        while text not in self.heard:
            data = self.socket.recv(1 << 16)
            if not data:
                raise AssertionError(f"closed before {text!r} came: {self.heard[-500:]!r}")
            self.heard += data
        return self.heard

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        try:
            while data := self.socket.recv(1 << 16):
                self.heard += data
        except ConnectionError:
            pass
        return self.heard


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("probes")
    (folder / "probed.py").write_text(APP)
    with indiflask_run(folder / "probed.py", env={"STATE_DIRECTORY": str(folder)}) as program:
        yield program


@pytest.fixture
def witness(server: Program) -> Iterator[Client]:
    """Somebody else, who must notice nothing: at the end he sets E.L and is answered."""
    with Client(server.port) as client:
        client.say(b'<getProperties version="1.7" device="E"/>')
        client.until(b'name="L"')
        client.heard = b""
        yield client
        assert b"name" not in client.heard, "nobody else hears of it"
        client.say(new(b"Switch", b"L", b'<oneSwitch name="on">On</oneSwitch>', device=b"E"))
        assert b"Ok" in client.until(b"</setSwitchVector>")


def new(kind: bytes, name: bytes, ones: bytes, *, device: bytes = b"D") -> bytes:
    return b'<new%bVector device="%b" name="%b">%b</new%bVector>' % (kind, device, name, ones, kind)


def resident(program: Program) -> int:
    """MB of memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found
    return int(found[1]) // 1024


TEXT = b'<newTextVector device="D" name="T"><oneText name="x">'


@pytest.mark.parametrize(
    "stream, said",
    [
        pytest.param([b"<a></b>"], b"&lt;/a&gt; must stand here, at byte 5", id="R-1 malformed"),
        pytest.param([b"</root>"], b"without its start tag, at byte 0", id="R-1 stray end tag"),
        pytest.param([b"<a>&lol;</a>"], b"at byte 3", id="R-1 undefined entity"),
        pytest.param([TEXT, *[b"x" * 1_000_000] * 100], b"longer than 4194304 bytes", id="R-3 100 MB"),
        pytest.param([b'<newTextVector device="', b"x" * 20_000_000], b"start tag is longer", id="R-4 20 MB attribute"),
        pytest.param([bytes(range(256))], b"at byte 0", id="R-5 garbage"),
        pytest.param([b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'], b"no DOCTYPE", id="R-7 entity bomb"),
        pytest.param([b"<a>" * 60_000], b"no elements, at byte", id="R-8 60,000 levels"),
    ],
)
def test_what_is_no_indi_closes_its_sender(server: Program, witness: Client, stream: list[bytes], said: bytes) -> None:
    before = resident(server)
    with Client(server.port) as client:
        with suppress(ConnectionError):  # it may be closed while more is coming
            client.say(*stream)
        heard = client.rest()
    assert said in heard
    assert heard.count(b"<message ") == 1
    assert resident(server) - before < 20


def test_r2_a_tag_that_never_ends_holds_up_nobody(server: Program, witness: Client) -> None:
    client = Client(server.port)
    client.say(b"<newTextVector device=")
    with client:
        assert client.heard == b""


@pytest.mark.parametrize(
    "declaration", [b"<?xml version='1.0'?>", b'<?xml version="1.0" encoding="UTF-8"?>\n', b"<!-- hello -->"]
)
def test_r6_declarations_and_comments_between_messages(server: Program, witness: Client, declaration: bytes) -> None:
    with Client(server.port) as client:
        client.say(declaration + TEXT + b"a</oneText></newTextVector>")
        assert b'state="Ok"' in client.until(b"</setTextVector>")


def test_r5_latin_1_comes_out_as_utf_8(server: Program, witness: Client) -> None:
    with Client(server.port) as client:
        client.say(TEXT + b"caf\xe9</oneText></newTextVector>")
        assert "café".encode() in client.until(b"</setTextVector>")


BLOB = b'<oneBLOB name="B" %b format=".x">%b</oneBLOB>'


@pytest.mark.parametrize(
    "request_, said",
    [
        pytest.param(new(b"Text", b"N", b'<oneText name="X">1</oneText>'), b"newNumberVector sets it", id="R-9 kind"),
        pytest.param(new(b"Switch", b"L", b"", device=b"Nobody"), b"no device is called", id="R-12 device"),
        pytest.param(new(b"Switch", b"NN", b""), b"D has no property", id="R-13 property"),
        pytest.param(new(b"Number", b"N", b'<oneNumber name="Z">1</oneNumber>'), b"has no member", id="R-14 member"),
        pytest.param(new(b"Number", b"N", b""), b"names no member", id="R-14 empty"),
        pytest.param(new(b"Switch", b"S", b'<oneSwitch name="A">Maybe</oneSwitch>'), b"On or Off", id="R-14 Maybe"),
        pytest.param(new(b"BLOB", b"B", BLOB % (b'size="3"', b"!!!")), b"no base64", id="R-14 base64"),
        pytest.param(new(b"BLOB", b"B", BLOB % (b'size="30"', b"YWJj")), b"holds 3 bytes", id="R-14 size"),
        pytest.param(new(b"BLOB", b"B", BLOB % (b"", b"YWJj")), b"needs the attribute size", id="R-14 no size"),
        pytest.param(new(b"BLOB", b"B", BLOB % (b'size="abc"', b"YWJj")), b"a number of bytes", id="size of letters"),
        pytest.param(new(b"Number", b"N", b'<oneNumber name="X">nan</oneNumber>'), b"no number", id="R-15 nan"),
        pytest.param(new(b"Number", b"N", b'<oneNumber name="X">inf</oneNumber>'), b"no number", id="R-15 inf"),
        pytest.param(new(b"Number", b"N", b'<oneNumber name="X">abc</oneNumber>'), b"no number", id="R-15 abc"),
        pytest.param(new(b"Number", b"N", b'<oneNumber name="X">11</oneNumber>'), b"between 0 and 10", id="R-15 range"),
        pytest.param(
            new(b"Switch", b"S", b'<oneSwitch name="A">On</oneSwitch><oneSwitch name="B">On</oneSwitch>'),
            b"only one of A, B can be On",
            id="R-16 two On",
        ),
        pytest.param(
            new(b"Switch", b"S", b'<oneSwitch name="A">Off</oneSwitch>'), b"must be On", id="R-16 none On"
        ),
        pytest.param(new(b"Number", b"R", b'<oneNumber name="R">1</oneNumber>'), b"read-only", id="R-16 ro"),
        pytest.param(b'<enableBLOB device="D"/>', b"Never Also Only", id="R-17 empty enableBLOB"),
        pytest.param(new(b"Switch", b"RAISE", b'<oneSwitch name="on">On</oneSwitch>'), b"ValueError", id="R-22 raise"),
        pytest.param(new(b"Switch", b"EXIT", b'<oneSwitch name="on">On</oneSwitch>'), b"SystemExit", id="R-22 exit"),
        pytest.param(new(b"Switch", b"HANG", b'<oneSwitch name="on">On</oneSwitch>'), b"longer than 0.1 s", id="hang"),
        pytest.param(new(b"Text", b"WRONG", b'<oneText name="x">a</oneText>'), b"takes a str, not 5", id="R-25 type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_answered_in_words(server: Program, witness: Client, request_: bytes, said: bytes) -> None:
    with Client(server.port) as client:
        client.say(request_)
        client.until(said)
        assert b"message=" in client.heard


@pytest.mark.parametrize(
    "spoof",
    [
        pytest.param(b'<setSwitchVector device="E" name="L" state="Alert"/>', id="R-11 set"),
        pytest.param(b'<delProperty device="E"/>', id="R-11 del"),
        pytest.param(b'<message device="E" message="name"/>', id="R-11 message"),
        pytest.param(
            b'<defSwitchVector device="E" name="L" state="Ok" perm="rw" rule="AnyOfMany"/>', id="R-10 definition"
        ),
    ],
)
def test_nobody_speaks_for_a_device_that_is_not_his(server: Program, witness: Client, spoof: bytes) -> None:
    with Client(server.port) as client:
        client.say(spoof)
        client.until(b"not for")


def test_r18_and_r19_three_hundred_clients_come_and_go(server: Program, witness: Client) -> None:
    files = Path(f"/proc/{server.process.pid}/fd")
    before = len(list(files.iterdir()))
    clients = [Client(server.port) for _ in range(300)]
    for client in clients:
        client.say(b'<getProperties version="1.7" device="E"/>')
    for client in clients:
        client.until(b'name="L"')
    for client in clients:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # gone, not half closed
        client.socket.close()
    deadline = time.monotonic() + SECONDS
    while len(list(files.iterdir())) > before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_r21_a_handler_that_blocks_holds_up_only_its_device(server: Program, witness: Client) -> None:
    with Client(server.port) as client:
        client.say(new(b"Switch", b"BLOCK", b'<oneSwitch name="on">On</oneSwitch>'))
        client.until(b'state="Busy"')
        witness.say(new(b"Switch", b"L", b'<oneSwitch name="on">On</oneSwitch>', device=b"E"))
        witness.until(b"</setSwitchVector>")
        witness.heard = b""
        assert b'state="Ok"' not in client.heard
        client.until(b'state="Ok"')


def test_r25_control_characters_do_not_reach_clients(server: Program, witness: Client) -> None:
    with Client(server.port) as client:
        client.say(new(b"Text", b"CONTROL", b'<oneText name="x">a</oneText>'))
        heard = client.until(b"</setTextVector>")
        assert b"\x00" not in heard
        assert b"\x1b" not in heard
        assert b"a" in heard


def test_an_idle_server_is_idle(server: Program, witness: Client) -> None:
    """A client that closed its half, and one that is gone, cost no time (R-19)."""
    stat = Path(f"/proc/{server.process.pid}/stat")

    def ticks() -> int:
        fields = stat.read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    with Client(server.port) as half, Client(server.port):
        half.socket.shutdown(socket.SHUT_WR)
        before = ticks()
        time.sleep(0.5)  # what is measured is this half second
        assert ticks() - before < 10  # of 50
