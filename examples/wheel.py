"""A filter wheel: how many slots it has is known once it is connected."""

from collections.abc import Iterator
from typing import Annotated

from indiflask import App, Number
from simulated import FilterWheel

app = App("Wheel", interface="filter")


@app.connection(lost=OSError)
def hardware() -> Iterator[FilterWheel]:
    with FilterWheel.opened() as wheel:
        slot.define(max=wheel.slots)
        names.define(members=[f"FILTER_SLOT_NAME_{number}" for number in range(1, wheel.slots + 1)])
        yield wheel


@app.number("FILTER_SLOT", deadline=30)
def slot(number: Annotated[int, Number("FILTER_SLOT_VALUE", min=1, max=8, step=1, format="%.f")] = 1) -> None:
    """Filter"""
    hardware.value.goto(number)


@slot.read
def position() -> int:
    return hardware.value.position


@app.text("FILTER_NAME", members=[f"FILTER_SLOT_NAME_{number}" for number in range(1, 9)], save=True)
def names(texts: dict[str, str]) -> None:
    """Filter names"""


if __name__ == "__main__":
    app.run()
