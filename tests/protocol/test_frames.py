"""Framing: what comes out whatever the pieces, and what is refused, where and why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indiflask.protocol import Frame, Framer, Limits
from tests.protocol.samples import (
    CAPTURES,
    VECTOR,
    accepted_by_expat,
    flat_xml,
    framed,
    name_of,
    soup,
    split,
    wrong,
)

OPEN = b'<newTextVector device="a" name="b"><oneText name="c">'
CLOSE = b"</oneText></newTextVector>"


def one(data: bytes) -> Frame:
    """The one frame of these bytes, the same whole and byte by byte."""
    frames, error = framed([data])
    assert error is None
    assert framed(data[at : at + 1] for at in range(len(data))) == (frames, None)
    [frame] = frames
    return frame


# Laws


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_captures_byte_by_byte(path: Path) -> None:
    data = path.read_bytes()
    frames, error = framed([data])
    assert error is None
    assert framed(data[at : at + 1] for at in range(len(data))) == (frames, None)
    top_level = len(re.findall(rb"<(getProperties|enableBLOB|message|delProperty|ping\w+|\w+Vector)\b", data))
    assert len(frames) == top_level


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_captures_lose_nothing_but_what_stands_between(path: Path) -> None:
    data = path.read_bytes().replace(b"<?xml version='1.0'?>", b"")
    frames, _ = framed([data])
    assert b"".join(b"".join(frame.data for frame in frames).split()) == b"".join(data.split())


@given(st.sampled_from(CAPTURES), st.data())
def test_captures_in_random_pieces(path: Path, data: st.DataObject) -> None:
    stream = path.read_bytes()
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=40))
    assert framed(split(stream, cuts)) == framed([stream])


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_frames_fed_again_give_themselves(path: Path) -> None:
    frames, _ = framed([path.read_bytes()])
    assert framed(frame.data for frame in frames) == (frames, None)


@given(st.lists(flat_xml(), max_size=4), st.lists(st.integers(0, 2000), max_size=10))
def test_what_expat_accepts_we_accept(parts: list[bytes], cuts: list[int]) -> None:
    assert all(map(accepted_by_expat, parts))
    stream = b"\n".join(parts)
    frames, error = framed(split(stream, [min(cut, len(stream)) for cut in cuts]))
    assert error is None
    assert [frame.data for frame in frames] == parts


@given(soup, st.lists(st.integers(0, 2000), max_size=10))
def test_whatever_comes_is_frames_or_one_error(stream: bytes, cuts: list[int]) -> None:
    frames, error = framed([stream])
    pieces, error_in_pieces = framed(split(stream, [min(cut, len(stream)) for cut in cuts]))
    assert pieces == frames
    assert (error and (error.why, error.at)) == (error_in_pieces and (error_in_pieces.why, error_in_pieces.at))
    assert error is None or 0 <= error.at <= len(stream)
    for frame in frames:
        assert accepted_by_expat(frame.data)
        assert framed([frame.data]) == ([frame], None)


@given(flat_xml(), st.data())
def test_one_changed_byte(element: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(element) - 1))
    stream = element[:at] + data.draw(st.binary(max_size=2)) + element[at + 1 :]
    for frame in framed([stream])[0]:
        assert accepted_by_expat(frame.data)


@given(flat_xml())
def test_the_expression_and_the_scanner_agree(element: bytes) -> None:
    slow = Limits(attributes=5)  # so few that only the scanner counts them, and as many as are generated
    assert framed([element], slow) == framed([element])


# What a frame says


def test_a_frame_knows_what_routing_needs() -> None:
    frame = one(b"<?xml version='1.0'?>\n <message device='R&amp;D \xc3\xa9' name=\"x&#65;>\"/>")
    assert (frame.tag, frame.device, frame.name) == (b"message", "R&D é".encode(), b"xA>")
    assert frame.at == 23


def test_a_childs_name_is_not_the_vectors() -> None:
    frame = one(b'<setTextVector  device = "d"><oneText name="no"/></setTextVector>')
    assert (frame.device, frame.name) == (b"d", b"")


def test_attached_blobs_are_counted() -> None:
    frame = one(
        b"<setBLOBVector><oneBLOB attached='true'/><oneBLOB attached=\"true\"> </oneBLOB>"
        b"<oneBLOB attached='false'/></setBLOBVector>"
    )
    assert frame.attached == 2


def test_positions_count_from_the_start_given() -> None:
    framer = Framer(start=1000)
    assert [frame.at for frame in framer.feed(b"<a/>\n<b/><c")] == [1000, 1005]
    assert [frame.at for frame in framer.feed(b"/> <d/>")] == [1009, 1014]
    framer.feed(b"x")
    assert framer.error is not None
    assert framer.error.at == 1018


def test_comments_and_declarations_between_frames_are_dropped() -> None:
    stream = b"<?xml version='1.0' encoding='UTF-8'?><!-- </a> <b/> - --> <a/> <!----><?x > ?>\n<b/>"
    frames, error = framed([stream])
    assert (error, [frame.data for frame in frames]) == (None, [b"<a/>", b"<b/>"])


def test_greater_than_in_a_value_ends_nothing() -> None:
    assert one(b"<message message='a > b /> c'/>").data == b"<message message='a > b /> c'/>"


def test_latin_1_becomes_utf_8() -> None:
    frame = one(b"<message device='Caf\xe9' message='\x80'/>")
    assert frame == Frame("<message device='Café' message='\x80'/>".encode(), b"message", "Café".encode())


def test_what_came_before_the_bad_byte_is_delivered() -> None:
    framer = Framer()
    assert [frame.tag for frame in framer.feed(b"<a/><b/>&")] == [b"a", b"b"]
    assert framer.error is not None
    assert framer.feed(b"<c/>") == []


def test_open_bytes_are_those_of_the_open_element() -> None:
    framer = Framer()
    sizes = []
    for piece in (b" <a/> ", b"<b", b"><c>", b"</c></b>", b"\n<!--", b"-->"):
        framer.feed(piece)
        sizes.append(framer.open_bytes)
    assert sizes == [0, 2, 6, 0, 4, 0]


# What is refused


@pytest.mark.parametrize(
    "stream, why, at",
    [
        (b"<a/>hello", "between elements", 4),
        (b"\xef\xbb\xbf<a/>", "between elements", 0),
        (b"\x00", "between elements", 0),
        (b"</a>", "without its start tag", 0),
        (b"<a></b>", "</a> must stand here", 5),
        (b"<ab></abc>", "end tag", 8),
        (b"<setTextVector><b></setTextVector>", "</b> must stand here", 20),
        (b"<!DOCTYPE a>", "DOCTYPE", 0),
        (b"<![CDATA[x]]>", "CDATA", 0),
        (b"<a><![CDATA[x]]></a>", "CDATA", 3),
        (b'<newTextVector><oneText name="a"><!-- </newTextVector>', "comments", 33),
        (b"<a><?xml?></a>", "instructions", 3),
        (b"<!-- a -- b -->", "inside a comment", 7),
        (b"<a>x & y</a>", "&amp;", 5),
        (b"<a>&lol;</a>", "five entities", 3),
        (b"<a>&#0;</a>", "five entities", 3),
        (b"<a>&#xD800;</a>", "five entities", 3),
        (b"<a>&#x110000;</a>", "five entities", 3),
        (b"<a>&#" + b"0" * 40 + b"65;</a>", "five entities", 3),
        (b"<a b='&'/>", "five entities", 6),
        (b'<newTextVector><oneText x="" name="x&amp;&amp"></oneText></newTextVector>', "five entities", 41),
        (b"<newTextVector><oneText  name='a'>x&amp;&amp</oneText></newTextVector>", "five entities", 40),
        (b"<a>x]]></a>", "]]>", 4),
        (b"<a>]]]></a>", "]]>", 4),
        (b"<a>x\x00</a>", "control character 0x00", 4),
        (b"<a b='\x1b'/>", "control character 0x1b", 6),
        (b"<a>\xef\xbf\xbf</a>", "no characters", 3),
        (b"<a b='x<y'/>", "&lt;", 7),
        (b"<a b=x/>", "quotes", 5),
        (b"<a b/>", "no value", 4),
        (b"<a b='1'c='2'/>", "blank", 8),
        (b"<a b='1' c='2' b='3'/>", "b stands twice", 15),
        (b"<a / >", "followed by >", 4),
        (b"<a b='1' 2='3'/>", "where an attribute", 9),
        (b"<a\xe9/>", "0xe9", 2),
        (b"< a/>", "not a tag", 1),
        (b"<a:b/>", ": stands where", 2),
        (b"<a b:c='1'/>", "b has no value", 4),
        (b"<a xmlns='x'/>", "no namespaces", 3),
        (b"<a><b><c/></b></a>", "text only", 6),
        (b"<setBLOBVector><oneBLOB>QUJ\x00</oneBLOB></setBLOBVector>", "no base64", 27),
        (b"<setBLOBVector><oneBLOB>Q&amp;</oneBLOB></setBLOBVector>", "no base64", 25),
        (b"<setBLOBVector><oneBLOB>\xc3\xa9</oneBLOB></setBLOBVector>", "no base64", 24),
        (b"<a", "ends inside a tag", 2),
        (b"<ab c='1", "ends inside <ab>, which began at byte 0", 8),
        (b"<a/> <!-- ", "comment, which began at byte 5", 10),
    ],
)
def test_refused(stream: bytes, why: str, at: int) -> None:
    text, place = wrong(stream)
    assert why in text
    assert place == at


@pytest.mark.parametrize("element", [VECTOR, OPEN + b"x" + CLOSE])
def test_each_byte_may_be_missing(element: bytes) -> None:
    for end in range(1, len(element.strip())):
        assert wrong(element[:end])[1] == end


def test_an_entity_bomb_is_refused_at_its_doctype() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;">]><lolz>&l2;</lolz>'
    assert wrong(bomb)[1] == 21


# Limits

SMALL = Limits(message_bytes=200, blob_bytes=400, start_tag_bytes=80, comment_bytes=30, attributes=3, members=2)


@pytest.mark.parametrize(
    "stream, why, at",
    [
        (b"<a>" + b"x" * 300, "message is longer than 200 bytes", 200),
        (b"<b/>\n<a>" + b"x" * 300, "message is longer than 200 bytes", 205),
        (b"<newBLOBVector><oneBLOB>" + b"x" * 500, "BLOBs is longer than 400 bytes", 400),
        (b"<defBLOBVector>" + b"x" * 500, "message is longer than 200 bytes", 200),
        (b"<a b='" + b"x" * 100, "start tag is longer than 80 bytes", 80),
        (b"<" + b"a" * 100, "start tag is longer than 80 bytes", 80),
        (b"<a><b " + b" " * 100, "start tag is longer than 80 bytes", 83),
        (b"<!--" + b"x" * 40, "comment is longer than 30 bytes", 30),
        (b"<?" + b"x" * 40, "instruction is longer than 30 bytes", 30),
        (b"<a a='' b='' c='' d=''/>", "more than 3 attributes", 18),
        (b"<setTextVector><a/><a/><a/></setTextVector>", "more than 2 members", 23),
    ],
)
def test_over_a_limit(stream: bytes, why: str, at: int) -> None:
    text, place = wrong(stream, SMALL)
    assert why in text
    assert place == at


@pytest.mark.parametrize(
    "stream",
    [
        b"<a>" + b"x" * 193 + b"</a>",
        b"<newBLOBVector><oneBLOB>" + b"x" * 349 + b"</oneBLOB></newBLOBVector>",
        b"<a b='" + b"x" * 71 + b"'/>" + b"<!--" + b"x" * 23 + b"-->",
        b"<setTextVector><oneText a='' b='' c=''/><a/></setTextVector>",
    ],
)
def test_exactly_at_a_limit(stream: bytes) -> None:
    assert framed([stream], SMALL)[1] is None
    assert framed((stream[at : at + 1] for at in range(len(stream))), SMALL)[1] is None


@pytest.mark.parametrize(
    "stream, at",
    [
        pytest.param(b"<a>" * 60_000, 6, id="60,000 levels"),
        pytest.param(b"<message message='" + b"x" * 20_000_000, 65536, id="20 MB attribute"),
        pytest.param(b"<a " + b" " * 20_000_000, 65536, id="endless tag"),
        pytest.param(OPEN + b"] " * 2_500_000, 4 << 20, id="brackets"),
        pytest.param(OPEN + b"&amp;&#xe9;" * 500_000, 4 << 20, id="references"),
        pytest.param(b"<a " + b" ".join(b"a%d='%d'" % (n, n) for n in range(10_000)), 559, id="10,000 attributes"),
        pytest.param(b"<setTextVector>" + b"<oneText/>" * 100_000, 15 + 4096 * 10, id="members"),
    ],
)
@pytest.mark.timeout(5)  # each takes less than a second; anything quadratic would take minutes
def test_far_over_a_limit_in_linear_time(stream: bytes, at: int) -> None:
    for size in (1 << 30, 65536):
        _, error = framed(stream[place : place + size] for place in range(0, len(stream), size))
        assert error is not None
        assert error.at == at


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"<message message='" + b"x" * 65_000 + b"'/>", id="value"),
        pytest.param(b"<a " + b" ".join(b"a%d='%d'" % (n, n) for n in range(10_000)) + b"/>", id="10,000 attributes"),
        pytest.param(OPEN + b"x]]&lt;" * 50_000 + CLOSE, id="text"),
        pytest.param(b"<setBLOBVector><oneBLOB>" + b"QUJD" * 50_000 + b"</oneBLOB></setBLOBVector>", id="BLOB"),
        pytest.param(b"<a  b = '1'>x</a >" * 20_000, id="unusual elements"),
        pytest.param(b"<!-- --><?x?>" * 20_000, id="nothing"),
    ],
)
def test_byte_by_byte_in_linear_time(stream: bytes) -> None:
    limits = Limits(attributes=20_000, start_tag_bytes=1 << 20)
    whole = framed([stream], limits)
    assert whole[1] is None
    assert framed((stream[at : at + 1] for at in range(len(stream))), limits) == whole


def test_a_large_blob_is_joined_from_its_pieces() -> None:
    stream = b"<setBLOBVector><oneBLOB>" + b"QUJD\n" * (1 << 20) + b"</oneBLOB></setBLOBVector>"
    frames, error = framed(stream[at : at + (1 << 18)] for at in range(0, len(stream), 1 << 18))
    assert error is None
    assert [frame.data for frame in frames] == [stream]


def test_places_in_a_large_blob() -> None:
    head = b" <setBLOBVector device='\xef\xbf\xbe'><oneBLOB>" + b"QUJD" * (1 << 16)
    for tail, at in [(b"QU\x00", len(head) + 2), (b"QU</oneBLOB></setBLOBVector>", 24)]:
        stream = head + tail
        _, error = framed(stream[place : place + (1 << 17)] for place in range(0, len(stream), 1 << 17))
        assert error is not None
        assert error.at == at


def test_open_bytes_of_a_large_blob() -> None:
    framer = Framer()
    head = b"<setBLOBVector><oneBLOB>"
    for piece in (b"<a/>" + head, b"QUJD" * (1 << 16), b"Q"):
        framer.feed(piece)
    assert framer.open_bytes == len(head) + (4 << 16) + 1
    framer.close()
    assert framer.error is not None
    assert framer.error.at == 4 + len(head) + (4 << 16) + 1


def test_the_time_that_an_element_may_be_open() -> None:
    limits = Limits(open_seconds=10, open_bytes_per_second=1000)
    assert limits.open_time(0) == 10
    assert limits.open_time(5000) == 15
