"""The same instruments in indipydriver: a switch, values on request, or as many properties as BENCH_COUNT says.

With BENCH_PORT it is served in process by indipyserver; with BENCH_EXTERNAL too, indipyserver starts it as an external
driver; without BENCH_PORT it is that driver, on stdin and stdout.
"""

import asyncio
import os
import sys

from indipydriver import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    Device,
    IPyDriver,
    NumberMember,
    NumberVector,
    SwitchMember,
    SwitchVector,
    TextMember,
    TextVector,
)
from indipyserver import IPyServer  # type: ignore[import-not-found,import-untyped,unused-ignore]

WIDTH = 110  # characters of a value: makes a frame of 250 bytes


class Bench(IPyDriver):  # type: ignore[misc,unused-ignore]
    """Answers a switch, and publishes on a number."""

    async def rxevent(self, event: object) -> None:
        name = getattr(event, "vectorname", "")
        if name == "AWAITED":
            await self.answer(event)
        elif name == "PUBLISH":
            await self.publish(event)

    async def answer(self, event: object) -> None:
        vector = self["Bench"]["AWAITED"]
        for member, value in event.items():  # type: ignore[attr-defined]  # an event is a dict of members
            vector[member] = value
        await vector.send_setVector(state="Ok")

    async def publish(self, event: object) -> None:
        vector = self["Bench"]["VALUES"]
        for number in range(int(float(event["V"]))):  # type: ignore[index]  # as above
            vector["V"] = f"{number:06d}".ljust(WIDTH, "x")
            await vector.send_setVector(state="Ok")


def bench() -> Bench:
    if "BENCH_COUNT" in os.environ:
        return Bench(Device("Bench", [plain(f"P{at}", "ro", 0) for at in range(int(os.environ["BENCH_COUNT"]))]))
    switch = SwitchVector("AWAITED", "AWAITED", "Main", "rw", "AnyOfMany", "Idle", [SwitchMember("V", "V", "Off")])
    text = TextVector("VALUES", "VALUES", "Main", "ro", "Idle", [TextMember("V", "V", "")])
    return Bench(Device("Bench", [switch, text, plain("PUBLISH", "rw", 1_000_000)]))


def plain(name: str, permission: str, maximum: float) -> object:
    member = NumberMember("V", "V", "%g", 0, maximum, 0, 0)
    return NumberVector(name, name, "Main", permission, "Idle", [member])


async def main() -> None:
    port = os.environ.get("BENCH_PORT")
    if port is None:
        await bench().asyncrun()
    elif "BENCH_EXTERNAL" in os.environ:
        del os.environ["BENCH_PORT"]
        server = IPyServer(host="127.0.0.1", port=int(port))
        server.add_exdriver(sys.executable, __file__)
        await server.asyncrun()
    else:
        await IPyServer(bench(), host="127.0.0.1", port=int(port)).asyncrun()


if __name__ == "__main__":
    asyncio.run(main())
