"""A push button on pin 4: gpiozero calls back in a thread of its own, and ``publish`` may be called there."""

from gpiozero import Button

from indiflask import App, State

app = App("Doorbell")
bell = Button(4)

pressed = app.published("PRESSED", State, label="Somebody is at the door")
rings = app.published("RINGS", int, member="COUNT", label="Rings since the start", format="%.0f")


def ring() -> None:
    pressed.publish(State.ALERT)
    rings.publish(rings.value + 1)


bell.when_pressed = ring
bell.when_released = lambda: pressed.publish(State.OK)

if __name__ == "__main__":
    app.run()
