"""What fuzzing tries: the promise of `indiflask.protocol`, and streams that are nearly INDI."""

from __future__ import annotations

import random

from indiflask.protocol import Framer, ProtocolError, read, write
from tests.protocol.samples import CAPTURES, accepted_by_expat, framed

LONGEST = 4096

SPECIAL = [
    *(bytes([byte]) for byte in b"<>&;'\"=/!?-[] \n\x00\x7f\xe9"),
    *(b"<!--", b"-->", b"<?xml?>", b"<![CDATA[", b"]]>", b"<!DOCTYPE", b"&amp;", b"&#65;", b"&#xFFFF;", b"&#0;"),
    *(b"\xef\xbb\xbf", b"\xef\xbf\xbe", b"\xed\xa0\x80", b"\xc3\xa9", b"</oneText>", b"<oneText name='a'>", b"/>"),
    *(b"<setBLOBVector device='d' name='n'>", b"<oneBLOB name='b'>", b"</oneBLOB>", b"</setBLOBVector>"),
    *(b" xmlns=''", b" x:y='1'", b" name='n'", b' device="d"'),
]


def check(stream: bytes) -> None:
    """Raise AssertionError, or whatever else is raised, where the promise does not hold."""
    frames, error = framed([stream])
    middle = len(stream) // 2
    halves, error_in_halves = framed([stream[:middle], stream[middle:]])
    single, error_in_single = framed(stream[at : at + 1] for at in range(len(stream)))
    assert str(error) == str(error_in_halves) == str(error_in_single)
    assert frames == halves == single
    for frame in frames:
        assert accepted_by_expat(frame.data), frame
        assert framed([frame.data]) == ([frame], None), frame
        try:
            message = read(frame)
        except ProtocolError:
            continue
        assert read(write(message)) == message, frame


def seeds() -> list[bytes]:
    """The captures' frames that are short enough to mutate."""
    frames = [frame for path in CAPTURES for frame in Framer().feed(path.read_bytes())]
    return [frame.data for frame in frames if len(frame.data) < LONGEST]


def mutated(data: bytes, source: random.Random) -> bytes:
    """Some bytes deleted, doubled, changed, or replaced by what is special to XML."""
    stream = bytearray(data)
    for _ in range(source.randint(1, 6)):
        at = source.randint(0, len(stream))
        stretch = source.randint(0, 8)
        match source.randint(0, 3):
            case 0:
                del stream[at : at + stretch]
            case 1:
                stream[at:at] = stream[at : at + stretch * 8]
            case 2:
                stream[at : at + stretch] = source.randbytes(stretch)
            case _:
                stream[at:at] = source.choice(SPECIAL)
    return bytes(stream)
