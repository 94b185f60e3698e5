"""``python -m tests.bench NAME [--quick]``: the one command for all measurements. ``all`` runs each."""

from __future__ import annotations

import argparse
import sys
from typing import Protocol

from tests.bench import burst, framing, publish, reload, start, switch


class Benchmark(Protocol):
    """Prints its table. False when something of ours was lost, which makes its figures worthless."""

    def __call__(self, *, quick: bool) -> bool: ...


BENCHMARKS: dict[str, Benchmark] = {
    "switch": switch.run,
    "publish": publish.run,
    "start": start.run,
    "reload": reload.run,
    "burst": burst.run,
    "framing": framing.run,
}


def main() -> int:
    """The exit code: 1 when a run of ours is invalid."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHMARKS, "all"], metavar="NAME", help=", ".join([*BENCHMARKS, "all"]))
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works; no figures to keep")
    given = parser.parse_args()
    names = list(BENCHMARKS) if given.name == "all" else [given.name]
    valid = [BENCHMARKS[name](quick=given.quick) for name in names]
    return 0 if all(valid) else 1


if __name__ == "__main__":
    sys.exit(main())
