"""A roll-off roof with a motor and two limit switches, that closes when the weather turns bad."""

from typing import Literal

import anyio

from indiflask import App, Reply, State, Update
from simulated import RoofMotor

app = App("Roof", interface="dome")
motor = RoofMotor()


@app.switch("DOME_PARK", deadline=90)
async def park(to: Literal["PARK", "UNPARK"] = "PARK") -> None:
    """Parking"""
    if to == "PARK":
        motor.close()
    else:
        motor.open()
    while not (motor.is_closed if to == "PARK" else motor.is_open):
        await anyio.sleep(0.05)


@park.stop
def halt() -> None:
    motor.stop()


@park.read(every=1)
def where() -> Reply[Literal["PARK", "UNPARK"]]:
    if motor.is_closed:
        return Reply("PARK", State.OK)
    return Reply("UNPARK", State.OK if motor.is_open else State.IDLE)


@app.switch("DOME_MOTION")
async def motion(way: Literal["DOME_CW", "DOME_CCW"] | None = None) -> None:
    """Motion"""
    if way is None:
        await park.cancel()
    else:
        await park.request("UNPARK" if way == "DOME_CW" else "PARK")


@app.button("DOME_ABORT_MOTION", member="ABORT", cancels=[park, motion])
def abort() -> None:
    """Abort"""
    motor.stop()


@app.text("ACTIVE_DEVICES", members=["ACTIVE_WEATHER"], group="Options", save=True)
def active(names: dict[str, str] = {"ACTIVE_WEATHER": "Weather Simulator"}) -> None:  # noqa: B006
    """Snooped devices"""


@app.snoop(active, "WEATHER_STATUS", stale=300)
async def weather(update: Update) -> None:
    if update.state is State.ALERT and not motor.is_closed:
        await park.request("PARK")


if __name__ == "__main__":
    app.run()
