#!/usr/bin/env -S indiflask stdio
"""A driver that any INDI server starts by its name: ``indiserver ./indi_lamp.py``."""

from indiflask import App

app = App("Lamp", interface="lightbox")


@app.switch("LAMP")
def lamp(on: bool) -> None:
    """Lamp"""
    print("lamp is", "on" if on else "off")  # goes to the server's log, not into the protocol
