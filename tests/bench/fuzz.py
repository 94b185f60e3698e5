"""Fuzzes framing and reading: ``python -m tests.bench.fuzz --seconds 60``.

What must hold is the promise of `indiflask.protocol`: whatever bytes come in, the result is frames or one
ProtocolError; the same however they are split; each frame is accepted by expat and is a message or a ProtocolError.
Where atheris is installed, coverage guides it, from the captures' frames on; else they are mutated at random.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import tempfile
import time
from pathlib import Path


def fuzz_with_atheris(seconds: float) -> None:
    """Guided by coverage; ends the process after so many seconds, or at the first failure."""
    atheris = importlib.import_module("atheris")  # optional, and without types
    with atheris.instrument_imports(include=["indiflask.protocol"]):  # so not imported above
        promise = importlib.import_module("tests.bench.promise")

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        if seed % 2:
            return bytes(promise.mutated(data, random.Random(seed))[:longest])
        return bytes(atheris.Mutate(data, longest))

    corpus = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, seed in enumerate(promise.seeds()):
        (corpus / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={promise.LONGEST}", "-timeout=10"]
    atheris.Setup(
        [sys.argv[0], *limits, f"-artifact_prefix={corpus}/", str(corpus)], promise.check, custom_mutator=mutate
    )
    atheris.Fuzz()


def fuzz_at_random(seconds: float) -> int:
    """Without guidance, for so many seconds; returns how many streams were tried."""
    from tests.bench import promise

    seed = random.SystemRandom().getrandbits(64)
    print(f"seed {seed}")
    source, tried, end = random.Random(seed), 0, time.monotonic() + seconds
    samples = promise.seeds()
    while time.monotonic() < end:
        stream = b"\n".join(source.choices(samples, k=source.randint(1, 3)))[: promise.LONGEST]
        stream = promise.mutated(stream, source)
        try:
            promise.check(stream)
        except BaseException:
            print(f"failed with {stream!r}")
            raise
        tried += 1
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description="fuzz framing and reading")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: 60)")
    parser.add_argument("--random", action="store_true", help="without atheris")
    seconds, at_random = vars(parser.parse_args()).values()
    if not at_random and importlib.util.find_spec("atheris") is not None:
        fuzz_with_atheris(seconds)
    print("without atheris: mutating at random")
    print(f"{fuzz_at_random(seconds)} streams, nothing found")


if __name__ == "__main__":
    main()
