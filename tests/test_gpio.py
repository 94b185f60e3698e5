"""Pins where there are none: however a module comes to import gpiozero."""

import subprocess
import sys

import pytest

SCRIPT = """
from indiflask.gpio import mock_pins_when_imported
mock_pins_when_imported()
import importlib.resources, importlib.util
{first}
import gpiozero
print(type(gpiozero.Device.pin_factory).__name__, any(importlib.resources.files("gpiozero").iterdir()))
"""


@pytest.mark.parametrize("first", ["", "importlib.util.find_spec('gpiozero')", "import gpiozero.pins"])
def test_the_import_brings_mock_pins(first: str) -> None:
    command = [sys.executable, "-c", SCRIPT.format(first=first)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert result.stdout.split() == ["AnnouncingFactory", "True"], result.stderr
