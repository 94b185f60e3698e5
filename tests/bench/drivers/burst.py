"""As many properties as it is told to have."""

import os

from indiflask import App

app = App("Bench")
properties = [
    app.published(f"P{number}", float, member="V", when="always") for number in range(int(os.environ["BENCH_COUNT"]))
]

if __name__ == "__main__":
    app.run(port=int(os.environ["BENCH_PORT"]))
