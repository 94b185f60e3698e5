"""Writing: messages into bytes that we, expat and libindi read back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indiflask.protocol import (
    DefMember,
    DefVector,
    Element,
    Frame,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneBlob,
    OneMember,
    PingReply,
    ProtocolError,
    SetVector,
    State,
    pack,
    read,
    write,
)
from tests.protocol.samples import accepted_by_expat, elements, framed


@given(elements)
def test_message_to_bytes_to_message_is_the_identity(message: Element) -> None:
    assert read(write(message)) == message


@given(elements)
def test_packing_is_writing_and_framing(message: Element) -> None:
    frames, error = framed([write(message)])
    assert error is None
    assert frames == [pack(message)]
    assert accepted_by_expat(frames[0].data)


@given(st.text())
def test_any_text_at_all_can_be_written(text: str) -> None:
    frame = pack(Message(text, device=text))
    assert framed([frame.data]) == ([frame], None)
    assert accepted_by_expat(frame.data)


@pytest.mark.parametrize(
    "message, data",
    [
        (GetProperties(), '<getProperties version="1.7"/>'),
        (PingReply("SetBLOB/1"), '<pingReply uid="SetBLOB/1"/>'),
        (Message("<é> & \"q\" 'a'\t\n\r\n"), '<message message="&lt;é&gt; &amp; &quot;q&quot; &apos;a&apos;\t\n\n"/>'),
        (
            NewVector(Kind.TEXT, "D", "T", None, (OneMember("A", "\"M 31\" & <'x'> ]]>"),)),
            (
                '<newTextVector device="D" name="T"><oneText name="A">'
                "\"M 31\" &amp; &lt;'x'> ]]&gt;</oneText></newTextVector>"
            ),
        ),
        (Message("a\x00b\x1bc\ud800\uffff"), '<message message="a\ufffdb\ufffdc\ufffd\ufffd"/>'),
        (
            SetVector(
                Kind.NUMBER,
                "Scope",
                "EQ",
                State.BUSY,
                60,
                datetime(2026, 11, 23, 13, 44, 5, tzinfo=UTC),
                None,
                (OneMember("RA", "3:00:00"), OneMember("DEC", "")),
            ),
            (
                '<setNumberVector device="Scope" name="EQ" state="Busy" timeout="60" timestamp="2026-11-23T13:44:05">'
                '<oneNumber name="RA">3:00:00</oneNumber><oneNumber name="DEC"/></setNumberVector>'
            ),
        ),
        (
            DefVector(Kind.LIGHT, "D", "L", members=(DefMember("A", None, "Ok"),)),
            '<defLightVector device="D" name="L" state="Idle"><defLight name="A">Ok</defLight></defLightVector>',
        ),
        (
            NewVector(Kind.BLOB, "D", "B", None, (OneBlob("A", 3, ".x", b"QUJD"),)),
            '<newBLOBVector device="D" name="B"><oneBLOB name="A" size="3" format=".x">QUJD</oneBLOB></newBLOBVector>',
        ),
    ],
)
def test_write(message: Element, data: str) -> None:
    assert write(message) == data.encode()


def test_enclen_stays_with_the_base64_as_it_came() -> None:
    one = b'<oneBLOB name="A" size="3" enclen="4" format=".x">\nQU\nJD\n</oneBLOB>'
    data = b'<setBLOBVector device="D" name="B">' + one + b"</setBLOBVector>"
    assert write(read(data)) == data


def test_pack_counts_attached_blobs() -> None:
    message = SetVector(Kind.BLOB, "D", "B", members=(OneBlob("A", 3, attached=True), OneBlob("B", 3)))
    assert pack(message) == Frame(write(message), b"setBLOBVector", b"D", b"B", attached=1)


def test_lights_are_read_only() -> None:
    with pytest.raises(ProtocolError, match="newLightVector"):
        write(NewVector(Kind.LIGHT, "D", "L"))
