"""Clients that say more than they should, or read less: bounded memory, and a turn for everybody else."""

from __future__ import annotations

import threading
import time

import pytest

from tests.peers import Program
from tests.probes.kit import ASK, Client, busy_seconds, descriptors, eventually, new, resident

PING = b'<pingRequest uid="%s"/>'


def ask_light(client: Client) -> float:
    """Seconds until E.L has been set."""
    begun = time.monotonic()
    client.say(new("Switch", "L", device="E", on="On"))
    client.until(b'name="L" state="Ok"')
    client.until(b"</setSwitchVector>")
    return time.monotonic() - begun


def takes_requests(client: Client) -> bool:
    client.say(new("Text", "T", x=""))
    client.until(b'name="T" state="')
    return client.until(b"</setTextVector>").startswith(b"Ok")


def dropped(server: Program) -> int:
    return server.output.count("is dropped")


def test_one_who_does_not_read_and_then_talks_nonsense(server: Program, witness: Client) -> None:
    """It ended the server: two tasks waited for one full socket."""
    with Client(server.port, buffer=4096) as client:
        client.say(PING % (b"a" * 30_000) * 300)
        eventually(lambda: busy_seconds(server) > 0 and len(witness.barrier()) > 0, "others are answered")
        client.say(b"</x>")
        heard = client.rest()
    assert heard.count(b"<pingReply ") == 300
    assert heard.endswith(b'an end tag without its start tag, at byte 9006300; this connection is closed"/>\n')


def test_nonsense_from_one_who_never_reads_is_forgotten_in_time(server: Program, witness: Client) -> None:
    before = descriptors(server)
    with Client(server.port, buffer=4096) as client:
        client.say(PING % (b"a" * 30_000) * 300 + b"</x>")
        eventually(lambda: descriptors(server) <= before, "its connection is closed")


@pytest.mark.parametrize("size", [3, 30_000])
def test_answers_that_nobody_reads_end_at_a_limit(server: Program, witness: Client, size: int) -> None:
    before, drops = resident(server), dropped(server)
    with Client(server.port, buffer=4096) as client:
        client.say_if_heard(*[PING % (b"a" * size) * (100_000 // size) for _ in range(1000)])
        eventually(lambda: dropped(server) > drops, "it is dropped")
    assert resident(server) - before < 150


def test_names_without_end_are_not_remembered(server: Program, witness: Client) -> None:
    before = resident(server)
    with Client(server.port) as client:
        for number in range(1000):
            client.say(b'<getProperties version="1.7" device="%d%s"/>' % (number, b"x" * 60_000))
        client.until(b"name devices, or nothing for all of them")
    assert resident(server) - before < 30


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(ASK * 2_000, id="asks"),
        pytest.param(new("Text", "NONE", a="b") * 5_000, id="requests for no property"),
        pytest.param(new("Text", "T", device="NONE", a="b") * 5_000, id="requests for no device"),
        pytest.param(new("Number", "N", X="99") * 5_000, id="requests out of range"),
        pytest.param(new("Switch", "ABORT", ABORT="On") * 2_000, id="aborts"),
        pytest.param(new("Switch", "CONNECTION", CONNECT="On") * 2_000, id="connects"),
        pytest.param(b"\n" * 1_000_000, id="empty lines"),
        pytest.param(b"<!-- -->" * 100_000, id="comments"),
        pytest.param(b"<unknown/>" * 50_000, id="unknown elements"),
    ],
)
def test_a_flood_leaves_others_their_turn(server: Program, witness: Client, flood: bytes) -> None:
    """A flood of asks held up everybody else for as long as it went on."""
    before = resident(server)
    with Client(server.port) as client:
        reading = threading.Thread(target=client.until, args=[b"pingReply"])
        reading.start()
        client.say(flood, PING % b"end")
        slowest = max(ask_light(witness) for _ in range(3))
        reading.join()
        eventually(lambda: takes_requests(client), "its device takes requests again")
    assert slowest < 2
    assert resident(server) - before < 80


def test_r20_one_who_does_not_read_costs_others_nothing(server: Program, witness: Client) -> None:
    before, drops = resident(server), dropped(server)
    with Client(server.port, buffer=4096) as lazy, Client(server.port) as keen:
        lazy.say(ASK)
        for number in range(900):  # 90 MB
            keen.say(new("Text", "T", x=f"{number}-" + "x" * 100_000))
            keen.until(b'name="T" state="Ok"')
            keen.until(b"</setTextVector>")
            if number % 100 == 0:
                assert ask_light(witness) < 1
        assert dropped(server) == drops + 1
        assert resident(server) - before < 150
        lazy.rest()


def test_r30_blobs_that_nobody_reads(server: Program, witness: Client) -> None:
    before, drops = resident(server), dropped(server)
    with Client(server.port, buffer=4096) as lazy, Client(server.port) as keen:
        lazy.say(b'<enableBLOB device="D" name="B">Also</enableBLOB>')
        lazy.barrier()
        for _ in range(10):  # 200 MB, 270 as base64
            keen.say(new("Switch", "SHOOT", SHOOT="On"))
            keen.until(b'name="SHOOT" state="Ok"')
            keen.until(b"</setSwitchVector>")
        eventually(lambda: dropped(server) == drops + 1, "it is dropped")
        assert resident(server) - before < 300
