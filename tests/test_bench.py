"""The benchmarks start and count; what they measure is no test's business."""

from __future__ import annotations

import subprocess
import sys

from tests.peers import ROOT


def test_switch_quickly() -> None:
    command = [sys.executable, "-m", "tests.bench", "switch", "--quick"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "invalid" not in told.stdout
    assert "× indiserver" in told.stdout
