"""The commands. Each is a thin front over ``indiflask.serving``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from indiflask.errors import IndiError
from indiflask.startup import run_on_loop, start_logging

cli = typer.Typer(
    help="An INDI instrument out of a ten-line Python script.",
    epilog="Example: indiflask run examples/led.py",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

TARGET_HELP = "module:attribute or path.py[:attribute]; an App, or a function that returns one"
Target = Annotated[str, typer.Argument(metavar="TARGET", help=f"{TARGET_HELP}.")]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error; debug shows the wire and tracebacks.")]


@cli.command(epilog="Example: indiflask run led.py --reload")
def run(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET...", help=f"{TARGET_HELP}; or a program that is an INDI driver.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 or :: for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 7624,
    reload: Annotated[bool, typer.Option("--reload", help="Load a target anew when a file is saved.")] = False,
    reload_dir: Annotated[
        list[Path] | None, typer.Option(exists=True, file_okay=False, help="Folder to watch; default: the target's.")
    ] = None,
    start_timeout: Annotated[float, typer.Option(min=0, help="Seconds that a target may take to start.")] = 30.0,
    stop_timeout: Annotated[float, typer.Option(min=0, help="Seconds that a target may take to end.")] = 5.0,
    restarts: Annotated[int, typer.Option(min=0, help="How often in a row a target that ends is started again.")] = 10,
    log_level: LogLevel = "info",
) -> None:
    """Serve apps and drivers to INDI clients until Ctrl-C, each in a process of its own."""
    from indiflask.links.supervised import Patience
    from indiflask.supervising import Serving, serve_children

    start_logging(log_level)
    serving = Serving(
        targets,
        host=host,
        port=port,
        log_level=log_level,
        patience=Patience(stop=stop_timeout, start=start_timeout, restarts=restarts),
        reload=reload or bool(reload_dir),
        reload_dirs=reload_dir or (),
    )
    run_on_loop(serve_children, serving)


@cli.command(epilog="Example: indiserver ./led.py, where led.py begins with #!/usr/bin/env -S indiflask stdio")
def stdio(target: Target, log_level: LogLevel = "info") -> None:
    """Be a driver of an INDI server, on stdin and stdout. INDIDEV names the device."""
    from indiflask.gpio import mock_pins_when_imported
    from indiflask.serving import serve_stdio
    from indiflask.target import load

    start_logging(log_level)
    mock_pins_when_imported()
    run_on_loop(serve_stdio, load(target))


@cli.command(epilog="Example: indiflask new lamp")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A Python name: NAME.py and test_NAME.py are written.")],
) -> None:
    """Write a driver to begin with, and its test, into this folder."""
    from indiflask.cli.new import write_starter

    typer.echo(write_starter(name))


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

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
