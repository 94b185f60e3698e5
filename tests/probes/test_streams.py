"""Streams that are no INDI: their sender is told what and where, and closed; nobody else notices."""

from __future__ import annotations

import os

import pytest

from tests.peers import Program
from tests.probes.kit import Client, descriptors, eventually, new, resident

GOOD = new("Text", "T", x="before")
HEAD = b'<newTextVector device="D" name="T"><oneText name="x">'
TAIL = b"</oneText></newTextVector>"
SOON = len(GOOD)


def settled_text(witness: Client) -> bytes:
    """The definition of D.T, once no request for it is under way."""
    definition = b'state="Busy"'
    while b'state="Busy"' in definition:
        witness.say(b'<getProperties version="1.7" device="D" name="T"/>')
        definition = witness.until(b"</defTextVector>")
    return definition


@pytest.mark.parametrize(
    "bad, said, at",
    [
        pytest.param(HEAD + b"a</oneText></newNumberVector>", b"must stand here", 66, id="R-1 other end tag"),
        pytest.param(HEAD + b"a</newTextVector>", b"must stand here", 56, id="R-1 child left open"),
        pytest.param(b"</INDI>", b"without its start tag", 0, id="R-1 end of a document"),
        pytest.param(HEAD + b"&lol;" + TAIL, b"", 53, id="R-1 unknown entity"),
        pytest.param(HEAD + b"a & b" + TAIL, b"", 55, id="R-1 bare ampersand"),
        pytest.param(HEAD + b"a < b" + TAIL, b"", 55, id="R-1 bare angle bracket"),
        pytest.param(HEAD + b"&#0;" + TAIL, b"", 53, id="R-1 reference to NUL"),
        pytest.param(HEAD + b"&#xD800;" + TAIL, b"", 53, id="R-1 reference to a surrogate"),
        pytest.param(b"<newTextVector device=D>", b"", 22, id="R-1 no quotes"),
        pytest.param(b'<newTextVector device="D" device="E">', b"", 26, id="R-1 attribute twice"),
        pytest.param(b'<newTextVector device="a<b">', b"", 24, id="R-1 angle bracket in an attribute"),
        pytest.param(b"hello", b"", 0, id="R-1 text between elements"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"", 0, id="R-1 a browser"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"", 0, id="R-5 TLS"),
        pytest.param(b"\x00" * 1000, b"", 0, id="R-5 NULs between elements"),
        pytest.param(HEAD + b"a\x00b" + TAIL, b"", 54, id="R-5 NUL in a text"),
        pytest.param(HEAD + b"a\x1bb" + TAIL, b"", 54, id="R-5 escape in a text"),
        pytest.param(b'<newTextVector device="\x00">', b"", 23, id="R-5 NUL in an attribute"),
        pytest.param("<getProperties/>".encode("utf-16"), b"", 0, id="R-6 UTF-16"),
        pytest.param(b"\xef\xbb\xbf<getProperties/>", b"", 0, id="R-6 byte order mark"),
        pytest.param(HEAD + b'<?xml version="1.0"?>', b"", 53, id="R-6 declaration in an element"),
        pytest.param(HEAD + b"<!-- a -->" + TAIL, b"", 53, id="R-6 comment in an element"),
        pytest.param(HEAD + b"<![CDATA[a]]>" + TAIL, b"", 53, id="R-7 CDATA"),
        pytest.param(b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b"", 0, id="R-7 external DOCTYPE"),
        pytest.param(b'<!ENTITY a "b">', b"", 0, id="R-7 entity"),
        pytest.param(HEAD + b"<a>" * 60_000, b"", 53, id="R-8 60,000 levels in a known tag"),
        pytest.param(b"<newTextVector>" * 60_000, b"", 30, id="R-8 60,000 known tags"),
        pytest.param(b"<a " + b'b="" ' * 100_000, b"", None, id="100,000 attributes"),
        pytest.param(b"<newTextVector>" + b"<oneText/>" * 100_000, b"", None, id="100,000 members"),
        pytest.param(b"<" + b"a" * 1_000_000, b"", None, id="a tag name of 1 MB"),
        pytest.param(b"<!--" + b"a" * 1_000_000, b"", None, id="a comment of 1 MB"),
        pytest.param(HEAD + b"&" + b"a" * 1_000_000, b"", None, id="an entity of 1 MB"),
    ],
)
@pytest.mark.parametrize("pieces", ["whole", "bytes"])
def test_it_is_told_what_and_where_and_closed(
    server: Program, witness: Client, pieces: str, bad: bytes, said: bytes, at: int | None
) -> None:
    stream = GOOD + bad
    split = SOON + 80 if pieces == "bytes" else 0  # the rest at once: a limit is far away
    with Client(server.port) as client:
        client.say_if_heard(*[stream[n : n + 1] for n in range(split)], stream[split:], new("Text", "T", x="after"))
        heard = client.rest()
    assert heard.count(b"<message ") == 1
    assert heard.endswith(b'; this connection is closed"/>\n')
    assert said in heard
    assert b", at byte " in heard
    assert at is None or b", at byte %d;" % (SOON + at) in heard
    assert b">before<" in settled_text(witness), "what came before counts, and what came after does not"


@pytest.mark.parametrize(
    "between",
    [
        b"<?xml version='1.0'?>",
        b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n',
        b'<?xml version="1.0" encoding="ISO-8859-1" ?>',
        b"<?other thing?>",
        b"<!---->",
        b"<!-- <newTextVector> & ]]> -->",
        b" \t\r\n" * 100,
        b"<hello/>",
        b'<hello a="b"><there>x</there></hello>',
    ],
)
def test_r6_what_may_stand_between_messages(server: Program, witness: Client, between: bytes) -> None:
    with Client(server.port) as client:
        client.say(between + new("Text", "T", x="1") + between + new("Text", "T", x="2") + between)
        for text in b"12":
            assert b">%c<" % text in client.until(b"</setTextVector>")
        assert b"<message" not in client.barrier()


@pytest.mark.parametrize(
    "sent, comes_back",
    [
        pytest.param(b"caf\xe9", "café", id="R-5 Latin-1"),
        pytest.param("café ☃ 𝄞".encode(), "café ☃ 𝄞", id="UTF-8"),
        pytest.param(b"&#233;&#x263A;&amp;&lt;&gt;&quot;&apos;", "é☺&amp;&lt;", id="references"),
        pytest.param(b"a\nb\tc", "a\nb\tc", id="lines"),
    ],
)
def test_r5_text_comes_back_as_utf_8(server: Program, witness: Client, sent: bytes, comes_back: str) -> None:
    with Client(server.port) as client:
        client.say(HEAD + sent + TAIL)
        assert f">{comes_back}".encode() in client.until(b"</setTextVector>")


def test_r5_every_byte_between_messages(server: Program, witness: Client) -> None:
    """Each is either white space or told."""
    for byte in range(256):
        with Client(server.port) as client:
            client.say(bytes([byte]) + b"<unknown/>")
            client.end()
            if bytes([byte]) not in b" \t\r\n":
                assert b"byte 0" in client.rest() or byte == ord("<")


def test_r5_random_bytes(server: Program, witness: Client) -> None:
    before, open_before = resident(server), descriptors(server)
    for _ in range(50):
        with Client(server.port) as client:
            client.say_if_heard(b"<newTextVector", os.urandom(10_000))
            assert b"<message " in client.rest()
    assert resident(server) - before < 20
    eventually(lambda: descriptors(server) <= open_before, "their connections are closed")


def test_r2_an_element_that_is_never_ended_hides_nothing(server: Program, witness: Client) -> None:
    """Its sender goes in the middle of it, or stays: the links' tests see it closed in time."""
    before = descriptors(server)
    clients = [Client(server.port) for _ in range(20)]
    for client in clients:
        client.say(HEAD + b"never")
    witness.barrier()
    for client in clients:
        client.socket.close()
    eventually(lambda: descriptors(server) <= before, "their connections are closed")


def test_r1_the_reason_is_heard_though_more_is_sent(server: Program, witness: Client) -> None:
    with Client(server.port) as client:
        client.say_if_heard(b"</x>", *[b"x" * 1_000_000] * 10)
        assert b"at byte 0" in client.rest()


def test_twenty_at_once(server: Program, witness: Client) -> None:
    clients = [Client(server.port) for _ in range(20)]
    for number, client in enumerate(clients):
        client.say(b"\n" * number + b"</x>")
    for number, client in enumerate(clients):
        with client:
            assert b"at byte %d;" % number in client.rest()
