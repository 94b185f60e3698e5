"""``indiflask new NAME``: a small driver that works, and its test, to begin with."""

from __future__ import annotations

import keyword
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template

from indiflask.errors import IndiError

DRIVER = Template('''\
"""$device, an INDI driver. Serve it: indiflask run $name.py --reload"""

from typing import Annotated

from indiflask import App, Number

app = App("$device")


class Hardware:
    """Pretended hardware. Put your own here: a pin, a serial port, a library."""

    on = False
    percent = 50.0

    def celsius(self) -> float:
        return 20 + (self.percent / 10 if self.on else 0)


hardware = Hardware()

Percent = Annotated[float, Number(min=0, max=100, step=5, format="%.0f", unit="%")]


# A parameter is what clients may set. A bool is a switch.
@app.switch("POWER")
def power(on: bool) -> None:
    """Power"""
    hardware.on = on


# What is outside the limits is refused, and never gets here.
@app.number("LEVEL")
def level(percent: Percent = 50) -> None:
    """Level"""
    hardware.percent = percent


# No parameter, and a result: it is read, here every two seconds.
@app.number("TEMPERATURE", member="CELSIUS", format="%.1f", every=2)
def temperature() -> float:
    """Temperature"""
    return hardware.celsius()


if __name__ == "__main__":
    app.run()
''')

TEST = Template('''\
"""Tests of $name.py. Calling what is decorated calls the bare function, without INDI."""

import $name


def test_power() -> None:
    $name.power(True)
    assert $name.hardware.on


def test_it_gets_warmer_with_its_level() -> None:
    $name.power(True)
    $name.level(0)
    cold = $name.temperature()
    $name.level(100)
    assert $name.temperature() > cold


def test_what_clients_see_before_they_ask_for_anything() -> None:
    assert $name.level.value == 50
    assert $name.power.value is False
''')


def write_starter(name: str) -> str:
    """Write ``name.py`` and ``test_name.py`` here, where neither is yet. What to tell the person who asked."""
    _check(name)
    device = _device(name)
    texts = {Path(f"{name}.py"): DRIVER, Path(f"test_{name}.py"): TEST}
    for path in texts:
        if path.exists():
            raise _is_here_already(path)
    for path, template in texts.items():
        _write(path, template.substitute(name=name, device=device))
    return "\n".join(
        [
            f"wrote {' and '.join(map(str, texts))}",
            f"  run it:   indiflask run {name}.py --reload",
            f"  set it:   indi_setprop {shlex.quote(f'{device}.LEVEL.percent=80')}    (in another terminal)",
            f"  test it:  {'' if find_spec('pytest') else 'pip install pytest && '}pytest test_{name}.py",
        ]
    )


def _check(name: str) -> None:
    """It names a file that Python can import, and hides no module that is there. Raises IndiError."""
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
        raise IndiError(
            f"{name!r} is no Python name (letters, digits and _, no digit first, no word of Python's own); "
            f"try: indiflask new {_right(name)}"
        )
    if name in sys.stdlib_module_names or (find_spec(name) and not Path(f"{name}.py").exists()):
        raise IndiError(
            f"Python has a module called {name!r}, which {name}.py would hide; try: indiflask new my_{name}"
        )


def _right(name: str) -> str:
    """A name like this one that would do."""
    words = re.sub(r"\W+", "_", Path(name).name.removesuffix(".py")).strip("_")
    if words.isidentifier() and not keyword.iskeyword(words):
        return words
    return f"my_{words}" if words else "lamp"


def _device(name: str) -> str:
    """``roof_motor`` is the file, Roof Motor the device that people see."""
    return " ".join(word[0].upper() + word[1:] for word in name.split("_") if word) or name


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _is_here_already(path) from None
    except OSError as error:
        raise IndiError(f"{path} cannot be written: {error.strerror}") from error


def _is_here_already(path: Path) -> IndiError:
    return IndiError(f"{path} is here already, and is left as it is; choose another name, or another folder")
