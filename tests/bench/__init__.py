"""Measurements and fuzzing, started by hand: ``python -m tests.bench.framing``. pytest does not collect them."""
