"""A lamp on a Raspberry Pi's pin 17. Without a Raspberry Pi the pin is a mock one."""

from gpiozero import LED

from indiflask import App

app = App("Garden")
lamp = LED(17)


@app.switch("LED")
def led(on: bool) -> None:
    """Lamp at the gate"""
    lamp.value = on


if __name__ == "__main__":
    app.run()
