"""The command line: ``indiflask run led.py``."""

from indiflask.cli.main import main

__all__ = ["main"]
