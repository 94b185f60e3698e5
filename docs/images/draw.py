"""Makes ``led.svg``, the picture in the README: real programs, what they really print, drawn as terminals.

Run from the checkout: ``python -m docs.images.draw``. It needs Debian's indi-bin.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tests import peers

HERE = Path(__file__).parent
CODE = (peers.EXAMPLES / "led.py").read_text().split('if __name__ == "__main__":')[0]
ASKED = ("indi_getprop Garden.LED.on", "indi_setprop Garden.LED.on=On", "indi_getprop Garden.LED.on")

WIDTH, GAP, MARGIN = 420, 20, 20
LINE, PADDING, BAR = 20, 16, 30
GROUND, PANEL, TEXT, DIM, ACCENT = "#0f1319", "#171c24", "#d7dce3", "#8b93a1", "#4ade80"
TITLE = "The lamp's ten lines; served in one terminal, switched from another"


def main() -> None:
    """Run the lamp, drive it, and draw both."""
    with peers.indiflask_run(
        "examples/led.py", "--reload", "--log-level", "warning", env={"GPIOZERO_PIN_FACTORY": "mock"}
    ) as server:
        server.wait_for_output("Ctrl-C")
        served = ["$ indiflask run led.py --reload", *server.output.replace(str(server.port), "7624").splitlines()]
        driven = [line for command in ASKED for line in typed(command, server.port)]
    code = CODE.partition('"""\n\n')[2].rstrip().splitlines()
    upper, lower = tall(served), tall(driven)
    height = max(tall(code), upper + GAP + lower)
    right, wide = MARGIN + WIDTH + GAP, WIDTH + 60
    drawn = [
        window(MARGIN, MARGIN, WIDTH, height, "led.py", code),
        window(right, MARGIN, wide, upper, "one terminal", served),
        window(right, MARGIN + upper + GAP, wide, height - upper - GAP, "another", driven),
    ]
    (HERE / "led.svg").write_text(picture(right + wide + MARGIN, height + 2 * MARGIN, drawn))


def typed(command: str, port: int) -> list[str]:
    """A command as it is typed, and what it printed."""
    name, *arguments = shlex.split(command)
    result = subprocess.run([name, "-p", str(port), *arguments], capture_output=True, text=True, check=True)
    return [f"$ {command}", *result.stdout.splitlines()]


def tall(lines: Sequence[str]) -> float:
    """The height of a window with these lines."""
    return BAR + PADDING + len(lines) * LINE + PADDING / 2


def picture(width: float, height: float, drawn: Sequence[str]) -> str:
    """The whole drawing."""
    font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" font-size="13"',
            f'     font-family="{font}">',
            f"<title>{escape(TITLE)}</title>",
            f'<rect width="100%" height="100%" rx="10" fill="{GROUND}"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def window(left: float, top: float, width: float, height: float, title: str, lines: Sequence[str]) -> str:
    """One window with its title and lines; a line that is typed stands out."""
    parts = [
        f'<g transform="translate({left:g} {top:g})">',
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{PANEL}"/>',
        f'<text x="{PADDING}" y="20" fill="{DIM}" font-size="12">{escape(title)}</text>',
        f'<path d="M0 {BAR}h{width:g}" stroke="{GROUND}" stroke-width="2"/>',
        '<text xml:space="preserve">',
    ]
    for number, line in enumerate(lines):
        y = BAR + PADDING + 12 + number * LINE
        colour = ACCENT if line.startswith(("$ ", "@")) else TEXT
        parts.append(f'<tspan x="{PADDING}" y="{y}" fill="{colour}">{escape(line)}</tspan>')
    return "\n".join([*parts, "</text>", "</g>"])


if __name__ == "__main__":
    main()
