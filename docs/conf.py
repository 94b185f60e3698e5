"""How the documentation is built: ``python -m sphinx -n -W -b html docs docs/_build/html``."""

from __future__ import annotations

from importlib.metadata import version as version_of
from pathlib import Path

import typer.main
from sphinx.application import Sphinx

from indiflask.cli.main import cli
from indiflask.interfaces import INTERFACES
from indiflask.protocol.schema import ELEMENTS, MEMBERS, Attribute

project = "indiflask"
author = "indiflask contributors"
project_copyright = f"2026, {author}"
version = release = version_of("indiflask")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence", "substitution"]
myst_substitutions = {"interfaces": ", ".join(f"`{name}`" for name in INTERFACES)}
myst_heading_anchors = 3
exclude_patterns = ["_build", "reference/_generated"]
nitpicky = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True  # `every: float = 0`, as it is written

nitpick_ignore_regex = [
    # Python's and anyio's own names: no network is needed to build, so there is nothing to link them to
    (r"py:(class|exc|obj|data)", r"(collections|typing|typing_extensions|types|os|pathlib|datetime|enum|anyio)\..*"),
    (
        r"py:(class|exc|obj|data)",
        r"(Callable|Iterable|Iterator|AsyncIterator|Awaitable|Mapping|Sequence|Buffer|_Array|Unpack)",
    ),
    (r"py:(class|exc|obj|data)", r"(BinaryIO|Any|Path|datetime|Self|Literal|ParamSpec|TypeVar|BaseException)"),
    # what decorators take and give, and aliases of Literals: their text says all that a reader needs
    (r"py:(class|obj)", r"(indiflask\.\w+\.)?(PropertyDecorator|Connector|Options|When|Overlap)"),
    # type variables and the protocols that only type checkers see
    (r"py:(class|obj)", r"(indiflask\.\w+\.)?_?(A|B|C|D|F|G|M|P|R|T|V|_Keep|_Value)(\.args|\.kwargs)?"),
]

html_theme = "furo"
html_title = f"indiflask {release}"
html_show_copyright = False
html_show_sphinx = False


def write_help(app: Sphinx) -> None:
    """The command line's own help, for the reference: it cannot differ from the program."""
    root = typer.main.get_command(cli)
    commands = {"indiflask": root, **{f"indiflask {name}": one for name, one in getattr(root, "commands", {}).items()}}
    for name, command in commands.items():
        with command.make_context(name, [], resilient_parsing=True) as context:
            Path(generated(app), f"{name.replace(' ', '-')}.txt").write_text(
                f"$ {name} --help\n{command.get_help(context)}\n"
            )


def write_elements(app: Sphinx) -> None:
    """The protocol's own table, for the reference."""
    rows = ["| element | sent by | attributes | children |", "|---|---|---|---|"]
    for one in ELEMENTS.values():
        rows += [
            f"| `{one.tag}` | {one.sender.value} | {listed(one.attributes)} | {one.member and f'`{one.member}`'} |"
        ]
    rows += ["", "| child | attributes |", "|---|---|"]
    rows += [f"| `{one.tag}` | {listed(one.attributes)} |" for one in MEMBERS.values()]
    generated(app).joinpath("elements.md").write_text("\n".join(rows) + "\n")


def listed(attributes: tuple[Attribute, ...]) -> str:
    """Attributes' names; in bold those that must be there."""
    return ", ".join(f"**{one.name}**" if one.required else one.name for one in attributes)


def generated(app: Sphinx) -> Path:
    """The folder for what is made at each build."""
    folder = Path(app.srcdir, "reference", "_generated")
    folder.mkdir(exist_ok=True)
    return folder


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("builder-inited", write_help)
    app.connect("builder-inited", write_elements)
