"""A telescope mount: slews, syncs, parks, moves while a key is held, and can be stopped at any time."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal, NamedTuple

import anyio

from indiflask import App, Number, Reject, Reply, State
from simulated import MountAxes

app = App("Mount", interface="telescope")


class Sky(NamedTuple):
    RA: Annotated[float, Number(min=0, max=24, format="%010.6m", unit="h")] = 0
    DEC: Annotated[float, Number(min=-90, max=90, format="%010.6m", unit="°")] = 90


@app.connection(lost=OSError)
async def axes() -> AsyncIterator[MountAxes]:
    yield MountAxes()


@app.switch("ON_COORD_SET")
def on_set(mode: Literal["TRACK", "SLEW", "SYNC"] = "TRACK") -> None:
    """On set"""


@app.number("EQUATORIAL_EOD_COORD", exclusive="axes", deadline=300)
async def goto(target: Sky) -> None:
    """Coordinates"""
    if axes.value.parked:
        raise Reject("the mount is parked: unpark it first")
    if on_set.value == "SYNC":
        await axes.value.sync(*target)
        return
    await axes.value.goto(*target)
    while await axes.value.slewing():
        await anyio.sleep(0.1)
    axes.value.tracking = on_set.value == "TRACK"


@goto.read(every=2, busy=0.5)
async def position() -> Reply[Sky]:
    here = Sky(*await axes.value.where())
    return Reply(here, State.OK if axes.value.tracking else State.IDLE)


@goto.stop
async def halt() -> None:
    await axes.value.stop()


@app.switch("TELESCOPE_PARK", exclusive="axes", deadline=300)
async def park(to: Literal["PARK", "UNPARK"] = "PARK") -> None:
    """Parking"""
    axes.value.tracking = False
    if to == "PARK":
        await axes.value.goto(0, 90)
        while await axes.value.slewing():
            await anyio.sleep(0.1)
    axes.value.parked = to == "PARK"


@park.stop
async def halt_parking() -> None:
    await axes.value.stop()


@park.read
def parked() -> Literal["PARK", "UNPARK"]:
    return "PARK" if axes.value.parked else "UNPARK"


async def hold(ra: float, dec: float) -> None:
    """Move until the key is let go, which replaces this by a request for nothing."""
    axes.value.nudge(ra, dec)
    try:
        await anyio.sleep_forever()
    finally:
        axes.value.halt()


@app.switch("TELESCOPE_MOTION_NS", exclusive="axes", group="Motion")
async def north_south(way: Literal["MOTION_NORTH", "MOTION_SOUTH"] | None = None) -> None:
    """North/South"""
    if way:
        await hold(0, 10 if way == "MOTION_NORTH" else -10)


@app.switch("TELESCOPE_MOTION_WE", exclusive="axes", group="Motion")
async def west_east(way: Literal["MOTION_WEST", "MOTION_EAST"] | None = None) -> None:
    """West/East"""
    if way:
        await hold(1 if way == "MOTION_EAST" else -1, 0)


@app.button("TELESCOPE_ABORT_MOTION", member="ABORT", cancels=[goto, park, north_south, west_east])
async def abort() -> None:
    """Abort"""
    await axes.value.stop()


if __name__ == "__main__":
    app.run()
