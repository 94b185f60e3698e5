"""Two switches that do nothing: what is measured is the way to them and back."""

import os

from indiflask import App

app = App("Bench")


@app.switch("AWAITED", when="always")
async def awaited(V: bool) -> None:
    """Runs on the event loop."""


@app.switch("CALLED", when="always")
def called(V: bool) -> None:
    """Runs in a thread."""


if __name__ == "__main__":
    app.run(port=int(os.environ["BENCH_PORT"]))
