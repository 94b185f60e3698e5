"""Reading: frames into messages, and what is no INDI."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from indiflask.protocol import (
    BlobMode,
    DefMember,
    DefNumber,
    DefVector,
    DelProperty,
    EnableBlob,
    Frame,
    Framer,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneBlob,
    OneMember,
    OneNumber,
    Permission,
    PingRequest,
    ProtocolError,
    Rule,
    SetVector,
    State,
    pack,
    read,
    write,
)
from indiflask.protocol.schema import ELEMENTS, MEMBERS, ElementShape, MemberShape
from tests.protocol.samples import CAPTURES, flat_xml, framed, name_of, soup


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_captures_are_read_without_loss(path: Path) -> None:
    frames, error = framed([path.read_bytes()])
    assert error is None
    for frame in frames:
        message = read(frame)
        assert read(write(message)) == message
        assert read(frame.data) == message
        assert read(pack(message)) == message


def test_every_attribute_of_the_captures_is_known() -> None:
    shapes: list[ElementShape | MemberShape] = [*ELEMENTS.values(), *MEMBERS.values()]
    known = {shape.tag: {attribute.name for attribute in shape.attributes} for shape in shapes}
    for path in CAPTURES:
        for tag, attributes in re.findall(r"<([a-zA-Z]+)([^>]*)>", path.read_text()):
            assert set(re.findall(r"(\w+)\s*=\s*['\"]", attributes)) <= known[tag]


@given(flat_xml())
def test_what_is_framed_is_a_message_or_a_protocol_error(data: bytes) -> None:
    try:
        message = read(data)
    except ProtocolError:
        return
    assert read(write(message)) == message


@given(soup)
def test_bytes_that_were_not_framed(data: bytes) -> None:
    for given_as in (data, Frame(data, b"")):
        with suppress(ProtocolError):
            read(given_as)


def test_a_definition() -> None:
    data = b"""<defNumberVector device='Scope' name='EQ' label='Eq. &amp; Co' group='Main' state='Idle' perm='rw'
      timeout='60' timestamp='2026-11-23T13:43:46.5' message='hi'>
      <defNumber name='RA' label='RA (hh:mm:ss)' format='%010.6m' min='0' max='24' step='0.10000000000000000555'>
        -0:30:00
      </defNumber></defNumberVector>"""
    assert read(data) == DefVector(
        Kind.NUMBER,
        "Scope",
        "EQ",
        "Eq. & Co",
        "Main",
        State.IDLE,
        Permission.RW,
        None,
        60,
        datetime(2026, 11, 23, 13, 43, 46, 500_000, UTC),
        "hi",
        (DefNumber("RA", "RA (hh:mm:ss)", "-0:30:00", "%010.6m", 0, 24, 0.1),),
    )


@pytest.mark.parametrize(
    "data, message",
    [
        ("<getProperties/>", GetProperties(version=None)),
        ("<getProperties version='2.0' device='*'></getProperties>", GetProperties("*", None, "2.0")),
        ("<enableBLOB device='C'> Also\n</enableBLOB>", EnableBlob("C", None, BlobMode.ALSO)),
        ("<message message='a&#10;&quot;b&#x41;' unknown='1'/>", Message('a\n"bA')),
        ("<message/>", Message("")),
        ("<delProperty device='C' timestamp='nonsense'/>", DelProperty("C")),
        ("<pingRequest uid='SetBLOB/1' />", PingRequest("SetBLOB/1")),
        ("<setTextVector device='C' name='T'/>", SetVector(Kind.TEXT, "C", "T")),
        ("<setTextVector device='C' name='T' timeout='soon'> </setTextVector>", SetVector(Kind.TEXT, "C", "T")),
        (
            "<newSwitchVector device='C' name='S'>x<oneSwitch name='A'>\n On\r\n</oneSwitch>y</newSwitchVector>",
            NewVector(Kind.SWITCH, "C", "S", None, (OneMember("A", "On"),)),
        ),
        (
            "<setNumberVector device='C' name='N'><oneNumber name='A' max='2:30'>1</oneNumber></setNumberVector>",
            SetVector(Kind.NUMBER, "C", "N", members=(OneNumber("A", "1", None, 2.5, None),)),
        ),
        (
            "<setBLOBVector device='C' name='B'><oneBLOB name='A' size='3'>\nQU\nJD\n</oneBLOB></setBLOBVector>",
            SetVector(Kind.BLOB, "C", "B", members=(OneBlob("A", 3, "", b"QU\nJD"),)),
        ),
        (
            "<setBLOBVector device='C' name='B'><oneBLOB name='A' enclen='4'>\nQUJD\n</oneBLOB></setBLOBVector>",
            SetVector(Kind.BLOB, "C", "B", members=(OneBlob("A", None, "", b"\nQUJD\n", enclen=4),)),
        ),
        (
            "<setBLOBVector device='C' name='B'><oneBLOB name='A' len='3' attached='true'>\n</oneBLOB></setBLOBVector>",
            SetVector(Kind.BLOB, "C", "B", members=(OneBlob("A", attached=True, length=3),)),
        ),
        (
            "<defBLOBVector device='C' name='B' state='Ok' perm='ro'><defBLOB name='A'>\n</defBLOB></defBLOBVector>",
            DefVector(Kind.BLOB, "C", "B", state=State.OK, permission=Permission.RO, members=(DefMember("A"),)),
        ),
        (
            "<defSwitchVector device='C' name='S' state='Ok' perm='wo' rule='AtMostOne'/>",
            DefVector(Kind.SWITCH, "C", "S", state=State.OK, permission=Permission.WO, rule=Rule.AT_MOST_ONE),
        ),
        ("<defLightVector device='C' name='L' state='Busy'/>", DefVector(Kind.LIGHT, "C", "L", state=State.BUSY)),
    ],
)
def test_read(data: str, message: object) -> None:
    assert read(data.encode()) == message


NUMBER = "<defNumberVector device='C' name='N' state='Ok' perm='ro'><defNumber name='A' {}/></defNumberVector>"
BLOB = "<newBLOBVector device='C' name='B'><oneBLOB name='A' size='{}'/></newBLOBVector>"


@pytest.mark.parametrize(
    "data, why, at",
    [
        ("<x/>", "no element <x>", 0),
        ("<newLightVector device='C' name='L'/>", "no element <newLightVector>", 0),
        ("<oneText name='A'/>", "no element <oneText>", 0),
        (" <setTextVector name='T'/>", "needs the attribute device", 1),
        ("<newTextVector device='C'/>", "needs the attribute name", 0),
        ("<enableBLOB>Also</enableBLOB>", "needs the attribute device", 0),
        ("<delProperty name='C'/>", "needs the attribute device", 0),
        ("<enableBLOB device='C'/>", "Never Also Only", 0),
        ("<enableBLOB device='C'>Sometimes</enableBLOB>", "'Sometimes'", 0),
        ("<setTextVector device='C' name='T' state='Fine'/>", "'Fine', and should be one of Idle Ok Busy Alert", 0),
        ("<defTextVector device='C' name='T' perm='ro'/>", "needs the attribute state", 0),
        ("<defTextVector device='C' name='T' state='Ok' perm='rx'/>", "one of ro wo rw", 0),
        ("<defSwitchVector device='C' name='T' state='Ok' perm='rw'/>", "needs the attribute rule", 0),
        ("<newTextVector device='C' name='T'><oneNumber name='A'/></newTextVector>", "only <oneText> may", 35),
        ("<newTextVector device='C' name='T'>\n<oneText/></newTextVector>", "<oneText> needs the attribute name", 36),
        (NUMBER.format("min='low'"), "min of <defNumber> is 'low'", 58),
        (NUMBER.format("max='nan'"), "max of <defNumber> is 'nan'", 58),
        (NUMBER.format("step=''"), "step of <defNumber> is ''", 58),
        (BLOB.format("abc"), "size of <oneBLOB> is 'abc', and should be a number of bytes", 35),
        (BLOB.format("-1"), "size of <oneBLOB> is '-1'", 35),
        (BLOB.format("٣"), "size of <oneBLOB> is '٣'", 35),
        ("<message/><message/>", "2 elements", 10),
        ("  ", "0 elements", 2),
        ("<message>", "ends inside <message>", 9),
    ],
)
def test_refused(data: str, why: str, at: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(data.encode())
    assert why in caught.value.why
    assert caught.value.at == at
    assert str(caught.value) == f"{caught.value.why}, at byte {at}"


def test_a_frames_place_in_its_stream_is_kept() -> None:
    frames, _ = framed([b"<message/>\n<newTextVector device='C'/>"])
    with pytest.raises(ProtocolError, match=r"at byte 11$"):
        read(frames[1])


def test_names_are_resolved_once() -> None:
    request = NewVector(Kind.TEXT, "A &amp; B", "N\n&lt;", members=(OneMember("X", "&amp;"),))
    [frame] = Framer().feed(write(request))
    assert read(frame) == request


@pytest.mark.parametrize(
    "child", ["<foo/>", '<defText name="a">x</defText>', "<defBLOB/>", '<oneNumber name="a">1</oneNumber>']
)
def test_a_request_with_a_foreign_child_is_refused(child: str) -> None:
    frames = Framer().feed(
        f'<newTextVector device="D" name="T"><oneText name="a">x</oneText>{child}</newTextVector>'.encode()
    )
    with pytest.raises(ProtocolError):
        read(frames[0])
