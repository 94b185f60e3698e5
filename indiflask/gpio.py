"""gpiozero where there is no GPIO: its mock pins, so that a script for a Raspberry Pi runs on a laptop."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

log = logging.getLogger(__name__)


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
