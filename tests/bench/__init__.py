"""Measurements and fuzzing, started by hand: ``python -m tests.bench NAME``. pytest does not collect them."""
