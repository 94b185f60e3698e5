"""Fuzzes framing and reading with atheris: ``python -m tests.bench.fuzz --seconds 60``.

What must hold is the promise of `indiflask.protocol`: whatever bytes come in, the result is frames or one
ProtocolError; the same however they are split; each frame is accepted by expat and is a message or a ProtocolError.
Without atheris, which not every platform has, the same runs on bytes that are mutated at random.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections.abc import Callable

from indiflask.protocol import Framer, ProtocolError, read, write
from tests.protocol.samples import CAPTURES, accepted_by_expat, framed

LONGEST = 4096


def check(stream: bytes) -> None:
    """Raise AssertionError, or whatever else is raised, where the promise does not hold."""
    frames, error = framed([stream])
    middle = len(stream) // 2
    halves, error_in_halves = framed([stream[:middle], stream[middle:]])
    single, error_in_single = framed(stream[at : at + 1] for at in range(len(stream)))
    places = {str(found) for found in (error, error_in_halves, error_in_single)}
    assert len(places) == 1, places
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
    """The captures' frames, short enough to mutate."""
    frames = [frame for path in CAPTURES for frame in Framer().feed(path.read_bytes())]
    return [frame.data for frame in frames if len(frame.data) < LONGEST]


def fuzz_with_atheris(seconds: float) -> None:
    """Guided by coverage, for so many seconds; does not return."""
    atheris = importlib.import_module("atheris")  # optional, and without types

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        return mutated(data, random.Random(seed))[:longest] if seed % 2 else bytes(atheris.Mutate(data, longest))

    atheris.instrument_all()
    options = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=1024"]
    atheris.Setup([sys.argv[0], *options], check, custom_mutator=mutate)
    atheris.Fuzz()


def fuzz_at_random(seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Without guidance, for so many seconds; returns how many streams were tried."""
    seed = random.SystemRandom().getrandbits(64)
    print(f"seed {seed}")
    source, tried, end = random.Random(seed), 0, clock() + seconds
    samples = seeds()
    while clock() < end:
        stream = mutated(b"\n".join(source.choices(samples, k=source.randint(1, 3)))[:LONGEST], source)
        try:
            check(stream)
        except BaseException:
            print(f"failed with {stream!r}")
            raise
        tried += 1
    return tried


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


SPECIAL = [
    *(bytes([byte]) for byte in b"<>&;'\"=/!?-[] \n\x00\x7f\xe9"),
    *(b"<!--", b"-->", b"<?xml?>", b"<![CDATA[", b"]]>", b"<!DOCTYPE", b"&amp;", b"&#65;", b"&#xFFFF;", b"&#0;"),
    *(b"\xef\xbb\xbf", b"\xef\xbf\xbe", b"\xed\xa0\x80", b"\xc3\xa9", b"</oneText>", b"<oneText name='a'>", b"/>"),
    *(
        b"<setBLOBVector device='d' name='n'>",
        b"<oneBLOB name='b'>",
        b" xmlns=''",
        b" x:y='1'",
        b"</oneBLOB>",
        b"</setBLOBVector>",
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description="fuzz framing and reading")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: 60)")
    parser.add_argument("--random", action="store_true", help="without atheris")
    seconds, at_random = vars(parser.parse_args()).values()
    if not at_random:
        try:
            fuzz_with_atheris(seconds)
        except ImportError:
            print("atheris is not installed: mutating at random instead")
    print(f"{fuzz_at_random(seconds)} streams, nothing found")


if __name__ == "__main__":
    main()
