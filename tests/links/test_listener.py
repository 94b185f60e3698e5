"""A client's connection: real sockets, both backends."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest

from indiflask.hub import Hub
from indiflask.links.errors import LinkError
from indiflask.links.listener import serve
from indiflask.protocol.frames import Frame
from indiflask.protocol.limits import Limits
from indiflask.protocol.messages import DefNumber, DefVector, Kind, Permission, State
from indiflask.protocol.writer import pack

pytestmark = pytest.mark.anyio

DEFINITION = DefVector(Kind.NUMBER, "D", "N", state=State.OK, permission=Permission.RW, members=(DefNumber("X"),))
REQUEST = b'<newNumberVector device="D" name="N"><oneNumber name="X">%d</oneNumber></newNumberVector>'


class Device:
    """An owner of D.N that keeps its requests, and answers whoever asks with its definition."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.requests: list[bytes] = []
        self.news = anyio.Event()
        self.peer = hub.join("device", self.hear, owner=True)

    def hear(self, frame: Frame) -> None:
        if frame.tag == b"getProperties":
            self.hub.receive(self.peer, [pack(DEFINITION)]) if hasattr(self, "peer") else None
        else:
            self.requests.append(frame.data)
            self.news.set()
            self.news = anyio.Event()

    async def until(self, count: int) -> None:
        with anyio.fail_after(5):
            while len(self.requests) < count:
                await self.news.wait()


@asynccontextmanager
async def serving(limits: Limits | None = None) -> AsyncIterator[tuple[Device, int]]:
    hub = Hub()
    device = Device(hub)
    hub.receive(device.peer, [pack(DEFINITION)])
    async with anyio.create_task_group() as tasks:
        address: str = await tasks.start(partial(serve, hub, "127.0.0.1", 0, limits=limits))
        yield device, int(address.rpartition(":")[2])
        tasks.cancel_scope.cancel()


async def connect(port: int) -> anyio.abc.SocketStream:
    return await anyio.connect_tcp("127.0.0.1", port)


async def until(client: anyio.abc.SocketStream, text: bytes) -> bytes:
    """What comes, up to and with ``text``."""
    got = b""
    with anyio.fail_after(5):
        while text not in got:
            got += await client.receive()
    return got


async def rest(client: anyio.abc.SocketStream) -> bytes:
    """What comes until the server closes."""
    got = b""
    with anyio.fail_after(5):
        try:
            while True:
                got += await client.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return got


async def test_a_client_asks_and_is_answered() -> None:
    async with serving() as (device, port), await connect(port) as client:
        await client.send(b'<getProperties version="1.7"/>')
        assert b'name="N"' in await until(client, b"</defNumberVector>")
        await client.send(REQUEST % 5)
        await device.until(1)


@pytest.mark.parametrize(
    "bad, why",
    [
        (b"</x>", b"at byte %d" % len(REQUEST % 1)),
        (b"<a><b><c>", b"at byte"),
        (b"nonsense", b"at byte %d" % len(REQUEST % 1)),
        (b"<!DOCTYPE x>", b"at byte"),
    ],
)
async def test_what_is_no_xml_closes_its_sender_alone(bad: bytes, why: bytes) -> None:
    async with serving() as (device, port), await connect(port) as good, await connect(port) as evil:
        await evil.send(REQUEST % 1 + bad)
        said = await rest(evil)
        assert why in said
        assert b"<message " in said
        await good.send(REQUEST % 2)
        await device.until(2)
        assert device.requests == [REQUEST % 1, REQUEST % 2]  # what came before the bad byte is delivered


async def test_one_command_and_gone_is_still_delivered() -> None:
    async with serving() as (device, port):
        for number in range(20):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b'<getProperties version="1.7"/>' * 20 + REQUEST % number)
        await device.until(20)
        assert sorted(device.requests) == sorted(REQUEST % number for number in range(20))


async def test_a_client_that_closes_its_writing_half_gets_its_answers() -> None:
    async with serving() as (_, port), await connect(port) as client:
        await client.send(b'<getProperties version="1.7"/>')
        await client.send_eof()
        await until(client, b"</defNumberVector>")


async def test_an_element_that_stays_open_is_ended() -> None:
    limits = Limits(open_seconds=0.1)
    async with serving(limits) as (_, port), await connect(port) as client:
        await client.send(b"<newNumberVector ")
        assert b"not at its end in time" in await rest(client)


async def test_a_client_that_does_not_read_is_dropped_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indiflask.links.client.OUTBOX_BYTES", 100_000)
    frame = Frame(b'<message device="D" message="%s"/>' % (b"x" * 10_000), b"message", b"D")
    async with serving() as (device, port), await connect(port) as good, await connect(port) as lazy:
        for client in (good, lazy):
            await client.send(b'<getProperties version="1.7"/>')
            await until(client, b"</defNumberVector>")
        for _ in range(1000):  # more than the kernel's buffers hold for one that does not read
            device.hub.receive(device.peer, [frame])
            await until(good, frame.data)
        device.hub.receive(device.peer, [Frame(b'<message message="the end"/>', b"message")])
        await until(good, b"the end")
        assert b"the end" not in await rest(lazy)


async def test_fifty_thousand_frames_in_one_turn_all_arrive() -> None:
    frame = Frame(b'<message device="D" message="%s"/>' % (b"x" * 210), b"message", b"D")
    async with serving() as (device, port), await connect(port) as client:
        await client.send(b'<getProperties version="1.7"/>')
        await until(client, b"</defNumberVector>")
        device.hub.receive(device.peer, [frame] * 50_000 + [Frame(b'<message message="the end"/>', b"message")])
        got = await until(client, b"the end")
        assert got.count(frame.data) == 50_000


async def test_a_port_in_use_is_told_in_words() -> None:
    async with serving() as (_, port):
        with pytest.raises(LinkError, match=f"port {port} of 127.0.0.1 is in use.*--port"):
            await serve(Hub(), "127.0.0.1", port)


async def test_addresses_that_cannot_be() -> None:
    with pytest.raises(LinkError, match=r"no address of this machine|give an address of this machine"):
        await serve(Hub(), "192.0.2.1", 0)


async def test_ipv6() -> None:
    async with anyio.create_task_group() as tasks:
        address: str = await tasks.start(serve, Hub(), "::1", 0)
        assert address.startswith("[::1]:")
        tasks.cancel_scope.cancel()
