"""A driver on stdin and stdout, whatever these are. Each runs in a process of its own, since it takes them over."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = """
from indiflask import App
app = App("Lamp")

@app.switch("LED")
def led(on: bool) -> None:
    print("printed", on, flush=True)

@app.blob("UPLOAD")
def upload(data: "Blob") -> None:
    print("got", data.data, data.format, flush=True)

from indiflask import Blob
app.run(stdio=True)
"""
ASK = b'<getProperties version="1.7"/>'
SET = b'<newSwitchVector device="Lamp" name="LED"><oneSwitch name="on">On</oneSwitch></newSwitchVector>'
BLOB = (
    b'<newBLOBVector device="Lamp" name="UPLOAD"><oneBLOB name="UPLOAD" size="5" format=".txt" attached="true"/>'
    b"</newBLOBVector>"
)
OK = b'state="Ok"'


@pytest.fixture
def driver(tmp_path: Path) -> list[str]:
    path = tmp_path / "lamp.py"
    path.write_text(
        DRIVER.replace('"Blob"', "Blob").replace("from indiflask import App", "from indiflask import App, Blob")
    )
    return [sys.executable, str(path)]


def test_pipes(driver: list[str]) -> None:
    done = subprocess.run(driver, check=False, input=ASK + SET, capture_output=True, timeout=20)
    assert done.returncode == 0
    assert done.stdout.count(b"<defSwitchVector") == 2
    assert b"printed True" in done.stderr
    assert b"printed" not in done.stdout


def test_files(driver: list[str], tmp_path: Path) -> None:
    (tmp_path / "in.xml").write_bytes(ASK + SET)
    with (tmp_path / "in.xml").open("rb") as source, (tmp_path / "out.xml").open("wb") as sink:
        subprocess.run(driver, stdin=source, stdout=sink, check=True, timeout=20)
    assert b"<setSwitchVector" in (tmp_path / "out.xml").read_bytes()


def test_nothing_to_read_and_nobody_to_hear(driver: list[str]) -> None:
    subprocess.run(driver, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=20)


def test_one_socket_as_both_and_an_attached_blob(driver: list[str], tmp_path: Path) -> None:
    """As libindi's server starts a driver."""
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    (tmp_path / "blob").write_bytes(b"hello")
    with ours, theirs, start(driver, theirs) as process:
        theirs.close()
        ours.sendall(ASK)
        until(ours, b"</defBLOBVector>", b"<defBLOBVector")
        with (tmp_path / "blob").open("rb") as blob:
            socket.send_fds(ours, [BLOB], [blob.fileno()])
        answer = until(ours, b"setBLOBVector", OK)
        assert b"Alert" not in answer
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert b"got b'hello' .txt" in process.stderr.read()


def test_no_indi_ends_it_with_a_word(driver: list[str]) -> None:
    done = subprocess.run(driver, check=False, input=b"<a></b>", capture_output=True, timeout=20)
    assert done.returncode == 1
    assert b"at byte" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_descriptor_that_others_have_set_non_blocking(driver: list[str]) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    theirs.setblocking(False)
    with ours, theirs, start(driver, theirs) as process:
        ours.sendall(ASK)
        until(ours, b"<defSwitchVector")
        assert not os.get_blocking(theirs.fileno())
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(20) == 0


def start(driver: list[str], both: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(driver, stdin=both.fileno(), stdout=both.fileno(), stderr=subprocess.PIPE)


def until(sock: socket.socket, *texts: bytes) -> bytes:
    got = b""
    while not all(text in got for text in texts):
        got += sock.recv(65536)
    return got
