"""A power supply with eight channels on a serial line. ``indiflask run supply.py:supply`` calls the function."""

from collections.abc import Iterator
from typing import Annotated

from indiflask import App, Number
from simulated import Supply

Volts = Annotated[float, Number("VOLTS", min=0, max=30, step=0.01, format="%.2f", unit="V")]


def supply(name: str = "Supply") -> App:
    """One app for each supply; two of them are ``supply("Left")`` and ``supply("Right")``."""
    app = App(name, interface="power")

    @app.text("DEVICE_PORT", when="always", save=True)
    def port(PORT: str = "/dev/ttyUSB0") -> None:
        """Port"""

    @app.connection(lost=OSError)  # pulling the plug raises one
    def line() -> Iterator[Supply]:
        with Supply.opened(port.value) as opened:
            yield opened

    for number in range(1, 9):

        @app.number(f"CH{number}", label="Set", group=f"Channel {number}", save=True)
        def volts(value: Volts = 0, *, number: int = number) -> None:
            line.value.write(b"VSET%d:%.2f" % (number, value))

        @app.number(f"CH{number}_MEASURED", member="VOLTS", group=f"Channel {number}", format="%.2f", every=2)
        def measured(*, number: int = number) -> float:
            """Measured"""
            return float(line.value.query(b"VOUT%d?" % number))

    return app


if __name__ == "__main__":
    supply().run()
