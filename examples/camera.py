"""A camera: exposes, can be aborted, and sends its pictures as FITS."""

import time
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from indiflask import App, Blob, Number, Reject
from simulated import CameraHead

app = App("Camera", interface="ccd")
Pixels = Annotated[float, Number(min=0, max=10000, format="%4.0f", unit="px")]


class Info(NamedTuple):
    CCD_MAX_X: Annotated[float, Number(format="%.f")]
    CCD_MAX_Y: Annotated[float, Number(format="%.f")]
    CCD_PIXEL_SIZE: Annotated[float, Number(format="%.2f", unit="µm")]
    CCD_PIXEL_SIZE_X: Annotated[float, Number(format="%.2f", unit="µm")]
    CCD_PIXEL_SIZE_Y: Annotated[float, Number(format="%.2f", unit="µm")]
    CCD_BITSPERPIXEL: Annotated[float, Number(format="%.f")]


class Frame(NamedTuple):
    X: Pixels = 0
    Y: Pixels = 0
    WIDTH: Pixels = 0
    HEIGHT: Pixels = 0


class Binning(NamedTuple):
    HOR_BIN: Annotated[float, Number(min=1, max=1, step=1, format="%2.0f")] = 1
    VER_BIN: Annotated[float, Number(min=1, max=1, step=1, format="%2.0f")] = 1


@app.connection(lost=OSError)
def hardware() -> Iterator[CameraHead]:
    with CameraHead.opened() as head:
        width, height, size = head.width, head.height, head.pixel_size
        info.publish(Info(width, height, size, size, size, 16))
        frame.define(max=[width, height, width, height])
        frame.publish(Frame(0, 0, width, height))
        yield head


info = app.published("CCD_INFO", Info, label="Sensor", group="Image")
image = app.published("CCD1", Blob, label="Image", group="Image")


@app.number("CCD_EXPOSURE", overlap="replace")
def expose(
    seconds: Annotated[float, Number("CCD_EXPOSURE_VALUE", min=0.01, max=3600, format="%5.2f", unit="s")] = 1,
) -> Iterator[float]:
    """Exposure"""
    head = hardware.value
    head.start()
    try:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            yield left
            time.sleep(min(left, 0.1))
    finally:
        head.stop()
    image.publish(Blob(fits(head, seconds), ".fits"))
    yield 0


@app.button("CCD_ABORT_EXPOSURE", member="ABORT", cancels=[expose])
async def abort() -> None:
    """Abort"""


@app.number("CCD_FRAME", group="Image")
def frame(region: Frame) -> None:
    """Region"""
    hardware.value.region = (int(region.X), int(region.Y), int(region.WIDTH), int(region.HEIGHT))


@app.number("CCD_BINNING", group="Image")
def binning(factors: Binning) -> None:
    """Binning"""
    if factors != (1, 1):  # INDI has no limits where min and max are the same
        raise Reject("this sensor does not bin")


@app.switch("CCD_FRAME_TYPE", group="Image")
def frame_type(kind: Literal["FRAME_LIGHT", "FRAME_BIAS", "FRAME_DARK", "FRAME_FLAT"] = "FRAME_LIGHT") -> None:
    """Type"""


@app.number("CCD_GAIN", save=True)
def gain(value: Annotated[float, Number("GAIN", min=0, max=100, format="%.f")] = 10) -> None:
    """Gain"""
    hardware.value.gain = value


@app.number("CCD_TEMPERATURE", member="CCD_TEMPERATURE_VALUE", format="%5.2f", every=5)
def temperature() -> float:
    """Temperature"""
    return hardware.value.temperature


def fits(head: CameraHead, seconds: float) -> bytes:
    """A FITS file: cards of 80 characters, blocks of 2880 bytes, 16 bit with the zero at 32768."""
    pixels = bytearray(head.read_out(seconds))
    pixels[::2] = bytes(byte ^ 0x80 for byte in pixels[::2])
    _, _, width, height = head.region
    cards = {
        "SIMPLE": "T",
        "BITPIX": 16,
        "NAXIS": 2,
        "NAXIS1": int(width),
        "NAXIS2": int(height),
        "BZERO": 32768,
        "BSCALE": 1,
        "EXPTIME": seconds,
        "GAIN": head.gain,
    }
    header = "".join(f"{key:8}= {value:>20}".ljust(80) for key, value in cards.items()) + "END".ljust(80)
    return _padded(header.encode(), b" ") + _padded(bytes(pixels), b"\0")


def _padded(block: bytes, filler: bytes) -> bytes:
    return block + filler * (-len(block) % 2880)


if __name__ == "__main__":
    app.run()
