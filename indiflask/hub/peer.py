"""``Peer``: one end of the hub, of any kind: a client, an app, later a driver or another server."""

from __future__ import annotations

from collections.abc import Callable

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import BlobMode

Key = tuple[bytes, bytes]
"""Device and property; an empty property is the whole device, an empty device is everything."""

NAMED_BYTES = 1024 * 1024
"""What one peer may have named, with all its names: some 8,000 properties one by one, where a whole device is one name.
It is remembered as long as the peer stays, and names have no length of their own that INDI would limit."""

NAME_COST = 100
"""Bytes that are held for a name beside its characters."""

Send = Callable[[Frame], None]
"""Takes a frame for the other side. Never blocks and never raises."""


class Peer:
    """What one peer wants to hear, what it knows already, and what it owns."""

    __slots__ = (
        "_blobs",
        "_named_bytes",
        "away",
        "knows",
        "label",
        "named",
        "only_blobs",
        "owed",
        "owner",
        "scolded",
        "send",
    )

    def __init__(self, label: str, send: Send, *, owner: bool) -> None:
        self.label = label
        self.send = send
        self.owner = owner
        """Whether it may define devices."""
        self.only_blobs = False
        """``enableBLOB Only`` without a property stops everything but BLOBs on its connection."""
        self.knows: dict[Key, int] = {}
        """The definitions that it has, by a digest without their values."""
        self.owed: set[Key] = set()
        """The definitions that it has asked for, and that have not come yet."""
        self.scolded = False
        self.away: str | None = None
        """Of an owner whose process has ended and will be back: why, in words. Its devices are kept meanwhile."""
        self.named: set[Key] = set()
        """What it is interested in."""
        self._named_bytes = 0
        self._blobs: dict[Key, BlobMode] = {}

    def __repr__(self) -> str:
        return f"<Peer {self.label}>"

    def forget(self) -> None:
        """Its process has ended, and with it all that it wanted and knew."""
        self.knows.clear()
        self.owed.clear()
        self.named.clear()
        self._named_bytes = 0
        self._blobs.clear()
        self.scolded = False

    def take_interest(self, key: Key) -> None:
        """Remember what it named. Raises ProtocolError when it has named too much."""
        if key in self.named:
            return
        cost = len(key[0]) + len(key[1]) + NAME_COST
        if self._named_bytes + cost > NAMED_BYTES:
            raise ProtocolError(
                f"too many properties are named on one connection, after {len(self.named)}: name "
                "devices, or nothing for all of them"
            )
        self._named_bytes += cost
        self.named.add(key)

    def hears(self, key: Key) -> bool:
        """Whether news of a property concern it: it asked for all, for the device, or for the property."""
        interest = self.named
        return (b"", b"") in interest or (key[0], b"") in interest or key in interest

    def hears_device(self, device: bytes) -> bool:
        """Whether a device's messages concern it: it named the device or one of its properties."""
        return self.hears((device, b"")) or any(named == device for named, _ in self.named)

    def set_blob_mode(self, key: Key, mode: BlobMode) -> None:
        """``enableBLOB``: per property; without one, for the device, and over what was said of its properties."""
        device, name = key
        if not name:
            self._blobs = {old: said for old, said in self._blobs.items() if device and old[0] != device}
            self.only_blobs = mode is BlobMode.ONLY
        self._blobs[key] = mode

    def takes_blobs(self, key: Key) -> bool:
        """Whether it wants a property's BLOBs. Nobody gets any who has not said so."""
        for asked in (key, (key[0], b""), (b"", b"")):
            if asked in self._blobs:
                return self._blobs[asked] is not BlobMode.NEVER
        return False
