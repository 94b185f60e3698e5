"""How fast bytes become frames, messages, and bytes again: ``python -m tests.bench framing``.

The best of some rounds is shown: what else the machine does only ever makes them slower.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from indiflask.protocol import Frame, Framer, encode_base64, read, write
from tests.protocol.samples import VECTOR

ROUNDS = 15
CHUNK = 64 * 1024
BLOB_CHUNK = 256 * 1024
BLOB_SIZE = 24 * 1024 * 1024


def best(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def feed(pieces: list[bytes]) -> list[Frame]:
    framer = Framer()
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    if framer.error is not None or framer.open_bytes:
        raise SystemExit(f"the sample is not framed: {framer.error}")
    return frames


def consume(pieces: list[bytes]) -> int:
    """Frames each piece and lets go of it, as a hub does that passes on what it gets."""
    framer = Framer()
    return sum(len(framer.feed(piece)) for piece in pieces)


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def show(what: str, seconds: float, count: int, size: int) -> None:
    print(f"{what:34} {seconds / count * 1e6:10.2f} µs {count / seconds:12,.0f} /s {size / seconds / 1e6:9,.0f} MB/s")


def vectors(what: str, vector: bytes) -> None:
    count = 4 * 1024 * 1024 // len(vector)
    stream = vector * count
    pieces = cut(stream, CHUNK)
    feed(pieces)
    show(f"{what} ({len(vector)} bytes)", best(lambda: consume(pieces)), count, len(stream))


def run(*, quick: bool) -> bool:
    """Print the table. Quick or not, it takes some seconds; a sample that is not framed ends it."""
    del quick
    spaced = VECTOR.strip() + b"\n" * (251 - len(VECTOR))
    vectors("frames", spaced)
    vectors("frames, single quotes", b"<?xml version='1.0'?>\n" + spaced.replace(b'"', b"'"))
    vectors("frames with references", spaced.replace(b"Telescope Simulator", b"T &amp; S"))
    vectors("frames in Latin-1", spaced.replace(b"Telescope", b"T\xe9lescope"))
    vectors("frames by the scanner", spaced.replace(b"device=", b"device ="))
    blob = b'<setBLOBVector device="C" name="CCD1"><oneBLOB name="A" size="%d" format=".fits">' % BLOB_SIZE
    blob += encode_base64(os.urandom(BLOB_SIZE)) + b"</oneBLOB></setBLOBVector>"
    pieces = cut(blob, BLOB_CHUNK)
    show("BLOB frames (24 MiB)", best(lambda: feed(pieces)), 1, len(blob))
    show("  the same bytes merely joined", best(lambda: b"".join(pieces)), 1, len(blob))
    [frame] = feed([VECTOR])
    message = read(frame)
    show("read, 2 numbers", best(lambda: [read(frame) for _ in range(5000)]), 5000, 5000 * len(frame.data))
    show("write, 2 numbers", best(lambda: [write(message) for _ in range(5000)]), 5000, 5000 * len(frame.data))
    return True
