"""From a target such as ``led:app`` or ``drivers/led.py:make`` to the ``App`` that it names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from indiflask.app import App
from indiflask.errors import DeclarationError, TargetError
from indiflask.running.check import known

importing: ContextVar[bool] = ContextVar("importing", default=False)
"""True while a target's module is imported: an unguarded ``app.run()`` in it does nothing then."""


def load(target: str) -> App:
    """The app named by ``module[:attribute]`` or ``path.py[:attribute]``; a function that returns one is called.

    Without an attribute, ``app``, or the one App there is. Raises TargetError.
    """
    place, colon, attribute = target.rpartition(":") if ":" in target else (target, "", "")
    if colon and not attribute:
        raise TargetError(f"{target}: behind the colon stands the name of an App or of a function that makes one")
    if Path(place).is_dir() and ("/" in place or not place.strip(".")):
        raise TargetError(f"{target} is a folder; name a file in it")
    is_file = place.endswith(".py") or "/" in place
    if is_file and not Path(place).is_file():
        raise TargetError(f"{target}: there is no file {place}")
    token = importing.set(True)
    try:
        module = _import_file(Path(place)) if is_file else _import_module(place)
        found = _attribute(module, attribute, target) if attribute else _only_app(module, target)
        if not isinstance(found, App):
            found = _make(found, target)
    finally:
        importing.reset(token)
    return found


def _import_file(path: Path) -> ModuleType:
    _make_importable(path.resolve().parent)
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failed(str(path), error) from error
    return module


def _import_module(name: str) -> ModuleType:
    _make_importable(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise TargetError(
                f"no module is called {error.name!r}, in this folder or on sys.path, and no program on PATH"
            ) from None
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _make_importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _failed(where: str, error: BaseException) -> TargetError:
    """An import that failed: the error, and the line of the user's that raised it."""
    if isinstance(error, DeclarationError):
        return TargetError(str(error))
    if isinstance(error, SyntaxError):
        return TargetError(f"{error.filename}:{error.lineno}: {error.msg}\n  {(error.text or '').strip()}")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    own = [frame for frame in frames if "indiflask" not in Path(frame.filename).parts] or frames
    at = f"\n  {own[-1].filename}:{own[-1].lineno}: {own[-1].line}" if own else ""
    return TargetError(f"{where} cannot be imported: {type(error).__name__}: {error}{at}")


def _attribute(module: ModuleType, attribute: str, target: str) -> Any:
    found: Any = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            names = [name for name, value in vars(module).items() if isinstance(value, App)]
            raise TargetError(f"{target}: {module.__name__} has no {name!r}; {known(name, names)}")
        found = getattr(found, name)
    return found


def _only_app(module: ModuleType, target: str) -> App:
    apps = {name: value for name, value in vars(module).items() if isinstance(value, App)}
    if "app" in apps:
        return apps["app"]
    if len(set(map(id, apps.values()))) == 1:
        return next(iter(apps.values()))
    if not apps:
        raise TargetError(f'{target}: it makes no App; write app = App("...") in it, or name a function: {target}:make')
    raise TargetError(f"{target}: it has several Apps ({', '.join(apps)}); say which: {target}:{next(iter(apps))}")


def _make(factory: Any, target: str) -> App:
    if not callable(factory):
        raise TargetError(f"{target} is {factory!r}, neither an App nor a function that makes one")
    if needed := _needed_arguments(factory):
        raise TargetError(f"{target} needs {needed}; a function that makes an App is called without arguments")
    try:
        made = factory()
    except (Exception, SystemExit) as error:
        raise _failed(target, error) from error
    if not isinstance(made, App):
        raise TargetError(f"{target} returned {made!r}, not an App")
    return made


def _needed_arguments(factory: Any) -> str:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return ""
    empty, variable = inspect.Parameter.empty, (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return ", ".join(one.name for one in parameters if one.default is empty and one.kind not in variable)
