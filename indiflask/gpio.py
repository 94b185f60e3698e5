"""gpiozero where there is no GPIO: its mock pins, so that a script for a Raspberry Pi runs on a laptop."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

log = logging.getLogger(__name__)


def mock_pins_when_imported() -> None:
    """``mock_pins_without_gpio`` as soon as gpiozero is imported: an app without pins need not wait for it."""
    if "gpiozero" in sys.modules:
        mock_pins_without_gpio()
    else:
        sys.meta_path.insert(0, _GpiozeroFinder())


class _GpiozeroFinder(MetaPathFinder):
    """Finds gpiozero where it is, and has something done behind its import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "gpiozero":
            return None
        found = (finder.find_spec(fullname, path, target) for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, found), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _GpiozeroLoader(spec.loader, self)
        return spec


class _GpiozeroLoader(Loader):
    def __init__(self, loader: Loader, finder: MetaPathFinder) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        mock_pins_without_gpio()


def mock_pins_without_gpio() -> bool:
    """Switch gpiozero to mock pins where no real ones can be had; the first pin says so. Whether that was needed.

    A pin factory that is set already, by ``Device.pin_factory`` or GPIOZERO_PIN_FACTORY, is left alone.
    """
    import gpiozero
    from gpiozero.exc import BadPinFactory
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    if gpiozero.Device.pin_factory is not None or "GPIOZERO_PIN_FACTORY" in os.environ:
        return False
    try:
        with warnings.catch_warnings():  # one for each library that is not there
            warnings.simplefilter("ignore")
            gpiozero.Device.ensure_pin_factory()
    except BadPinFactory:
        gpiozero.Device.pin_factory = _announcing(MockFactory)(pin_class=MockPWMPin)
        return True
    return False


def _announcing(factory: Any) -> Any:
    """The factory, with a word in the log when its first pin is asked for: nobody else needs to know."""

    class AnnouncingFactory(factory):  # type: ignore[misc]
        said = False

        def pin(self, name: Any) -> Any:
            if not self.said:
                self.said = True
                log.warning("no GPIO here: gpiozero uses mock pins (GPIOZERO_PIN_FACTORY chooses others)")
            return super().pin(name)

    return AnnouncingFactory
