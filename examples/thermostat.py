"""A heater that keeps a temperature, and stays off while the window is open.

The window is a device of the same app here; it might as well be another driver's, on another machine.
"""

from typing import Annotated, Literal

from indiflask import App, Number, State, Update
from simulated import Room

app = App("Thermostat", interface="aux")
window = app.device("Window")
room = Room()

Celsius = Annotated[float, Number("CELSIUS", min=5, max=30, step=0.5, format="%.1f", unit="°C")]


@app.number("TARGET", save=True)
def target(celsius: Celsius = 20) -> None:
    """Wanted"""


@app.number("TEMPERATURE", member="CELSIUS", format="%.1f", every=1)
def temperature() -> float:
    """Measured"""
    return room.temperature


@app.light("HEATER", every=1)
def heater() -> State:
    """Heater"""
    return State.BUSY if room.heating else State.IDLE


@app.every(1)
def regulate() -> None:
    room.heating = not room.window_open and room.temperature < target.value


@app.snoop(window, "WINDOW", stale=300)
def window_moved(update: Update) -> None:
    room.window_open = update.gone or update["OPEN"]
    regulate()
    heater.refresh()


@window.switch("WINDOW")
def sash(position: Literal["OPEN", "CLOSED"] = "CLOSED") -> None:
    """Window"""


if __name__ == "__main__":
    app.run()
