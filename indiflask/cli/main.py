"""The commands. Each is a thin front over ``indiflask.serving``."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from indiflask.errors import IndiError
from indiflask.gpio import mock_pins_without_gpio
from indiflask.serving import run_on_loop, serve_stdio, serve_tcp, start_logging
from indiflask.target import load

cli = typer.Typer(
    help="An INDI instrument out of a ten-line Python script.",
    epilog="Example: indiflask run examples/led.py",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="module:attribute or path.py[:attribute]; an App, or a function that returns one.",
    ),
]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error; debug shows the wire and tracebacks.")]


@cli.command(epilog="Example: indiflask run led.py --port 7625")
def run(
    target: Target,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 or :: for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 7624,
    log_level: LogLevel = "info",
) -> None:
    """Serve an app to INDI clients until Ctrl-C."""
    start_logging(log_level)
    mock_pins_without_gpio()
    run_on_loop(serve_tcp, load(target), host, port)


@cli.command(epilog="Example: indiserver ./led.py, where led.py begins with #!/usr/bin/env -S indiflask stdio")
def stdio(target: Target, log_level: LogLevel = "info") -> None:
    """Be a driver of an INDI server, on stdin and stdout. INDIDEV names the device."""
    start_logging(log_level)
    mock_pins_without_gpio()
    run_on_loop(serve_stdio, load(target))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"indiflask {version('indiflask')}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Options before the command."""


def main() -> NoReturn:
    """What the command ``indiflask`` calls. Our errors are one clear line, and exit code 1."""
    try:
        cli()
    except IndiError as error:
        if logging.getLogger("indiflask").isEnabledFor(logging.DEBUG):
            raise
        sys.exit(f"indiflask: {error}")
    sys.exit(0)
