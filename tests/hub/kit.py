"""Peers that keep what they hear, and what they talk about: a device D with a number N and a BLOB B."""

from indiflask.hub import Hub
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefMember,
    DefNumber,
    DefVector,
    Element,
    GetProperties,
    Kind,
    OneBlob,
    OneMember,
    Permission,
    SetVector,
    State,
)
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack


class End:
    """A peer that keeps what it is sent."""

    def __init__(self, hub: Hub, label: str = "end", *, owner: bool = False) -> None:
        self.hub = hub
        self.heard: list[Element] = []
        self.peer = hub.join(label, self.hear, owner=owner)

    def hear(self, frame: Frame) -> None:
        self.heard.append(read(frame))

    def say(self, *elements: Element) -> None:
        self.hub.receive(self.peer, [pack(element) for element in elements])
        if self.peer.owner:
            self.hub.settle(self.peer)

    def take(self) -> list[Element]:
        """What it was sent since the last time."""
        heard, self.heard = self.heard, []
        return heard


def number(name: str = "N", value: str = "1", *, device: str = "D", max: float = 9) -> DefVector:
    return DefVector(
        Kind.NUMBER,
        device,
        name,
        state=State.OK,
        permission=Permission.RW,
        members=(DefNumber("X", value=value, max=max),),
    )


def news(name: str = "N", value: str = "2", *, device: str = "D") -> SetVector:
    return SetVector(Kind.NUMBER, device, name, State.OK, members=(OneMember("X", value),))


BLOB = DefVector(Kind.BLOB, "D", "B", permission=Permission.RO, members=(DefMember("B"),))
IMAGE = SetVector(Kind.BLOB, "D", "B", State.OK, members=(OneBlob("B", 3, ".fits", b"YWJj"),))
EMPTY = SetVector(Kind.BLOB, "D", "B", State.OK)
ASK = GetProperties()


def client(hub: Hub, *said: Element) -> End:
    """Somebody who said this, and has the answers behind him."""
    end = End(hub, "client")
    end.say(*said)
    return end
