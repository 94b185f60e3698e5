"""Publishes as many distinct values as it is asked for, from the event loop or from a thread."""

import os

from indiflask import App

WIDTH = 110  # characters of a value: makes a frame of 250 bytes

app = App("Bench")
values = app.published("VALUES", str, member="V", when="always")


def publish(count: int) -> None:
    for number in range(count):
        values.publish(f"{number:06d}".ljust(WIDTH, "x"))


@app.number("AWAITED", when="always")
async def awaited(V: int = 0) -> None:
    """From the event loop."""
    publish(V)


@app.number("CALLED", when="always")
def called(V: int = 0) -> None:
    """From a thread."""
    publish(V)


if __name__ == "__main__":
    app.run(port=int(os.environ["BENCH_PORT"]))
