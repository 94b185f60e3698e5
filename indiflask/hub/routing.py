"""Who gets which frame. Pure: frames in, frames out by each peer's ``send``; no IO, no clock, no values kept.

A device has one owner, which alone may speak for it. Everybody else hears what it asked for.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable

from indiflask.hub.definitions import as_news, digest, without_time
from indiflask.hub.peer import Key, Peer
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefVector,
    DelProperty,
    EnableBlob,
    GetProperties,
    Message,
    PingReply,
    PingRequest,
)
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack

log = logging.getLogger(__name__)

BLOB_TAGS = (b"setBLOBVector", b"newBLOBVector")

EMPTY_BLOB_BYTES = 2048
"""A BLOB vector that is shorter, and has no member, is about state alone, and is news like any other."""

Route = tuple[Peer, ...]


class Routing:
    """The rules. ``take`` is the only way in for frames."""

    def __init__(self) -> None:
        self._peers: list[Peer] = []
        self._owners: dict[bytes, Peer] = {}
        self._defined: dict[Key, bytes] = {}
        """Properties that exist, with their definition as it was last said; empty once it has changed since."""
        self._routes: dict[tuple[Key, bool], Route] = {}
        self._rules: dict[bytes, Callable[[Peer, Frame], None]] = {
            b"getProperties": self._ask,
            b"enableBLOB": self._enable_blob,
            b"pingRequest": self._ping,
            b"message": self._say,
            b"delProperty": self._delete,
        }
        for kind in (b"Text", b"Number", b"Switch", b"Light", b"BLOB"):
            self._rules[b"set%bVector" % kind] = self._news
            self._rules[b"def%bVector" % kind] = self._define
            self._rules[b"new%bVector" % kind] = self._request

    # --- peers ---

    def join(self, peer: Peer) -> None:
        """A new end. Who may own devices is asked what it has."""
        self._peers.append(peer)
        self._routes.clear()
        if peer.owner:
            peer.send(pack(GetProperties()))

    def leave(self, peer: Peer) -> None:
        """An end is gone, and with it its devices."""
        self._peers.remove(peer)
        self._routes.clear()
        for device in [device for device, owner in self._owners.items() if owner is peer]:
            del self._owners[device]
            self._forget(peer, pack(DelProperty(device=device.decode())))

    def take(self, peer: Peer, frame: Frame) -> None:
        """Pass a frame on to whom it concerns. What is no INDI is answered, and goes nowhere."""
        rule = self._rules.get(frame.tag)
        if rule is None:
            log.debug("%s said <%s>, which is not for others", peer.label, frame.tag.decode())
            return
        try:
            rule(peer, frame)
        except ProtocolError as error:
            log.warning("%s: %s", peer.label, error.why)
            self._answer(peer, error.why)

    def _answer(self, peer: Peer, text: str, device: bytes = b"") -> None:
        peer.send(pack(Message(message=text, device=device.decode() or None)))

    # --- what clients say, and drivers that snoop ---

    def _ask(self, peer: Peer, frame: Frame) -> None:
        """``getProperties`` is remembered, and goes to whom it concerns, who answers."""
        key = (frame.device, frame.name)
        self._take_interest(peer, key)
        peer.owed.update(defined for defined in self._defined if _covers(key, defined))
        owners = [self._owners.get(frame.device)] if frame.device else [one for one in self._peers if one.owner]
        for owner in owners:
            if owner is not None and owner is not peer:
                owner.send(frame)

    def _enable_blob(self, peer: Peer, frame: Frame) -> None:
        element = read(frame)
        if isinstance(element, EnableBlob):
            key = (frame.device, frame.name)
            peer.take_interest(key)
            peer.set_blob_mode(key, element.mode)
            self._routes.clear()

    def _request(self, peer: Peer, frame: Frame) -> None:
        """``new…`` goes to the device's owner, and to other clients that it concerns, as libindi does."""
        key = (frame.device, frame.name)
        owner = self._owners.get(frame.device)
        if owner is None:
            self._answer(peer, self._unknown(frame.device), frame.device)
            return
        self._take_interest(peer, key)
        owner.send(frame)
        for other in self._route(key, blob=frame.tag in BLOB_TAGS):
            if other is not peer and not other.owner:
                other.send(frame)

    def _unknown(self, device: bytes) -> str:
        name = device.decode()
        names = [known.decode() for known in self._owners]
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}" if names else "there is none"
        return f"no device is called {name!r}; {hint}"

    def _ping(self, peer: Peer, frame: Frame) -> None:
        element = read(frame)
        if isinstance(element, PingRequest):
            peer.send(pack(PingReply(element.uid)))

    # --- what owners say of their devices ---

    def _news(self, peer: Peer, frame: Frame) -> None:
        """``set…``: the frame that there is most of."""
        if self._owners.get(frame.device) is not peer:
            self._scold(peer, frame)
            return
        key = (frame.device, frame.name)
        if self._defined.get(key):
            self._defined[key] = b""
        blob = frame.tag == b"setBLOBVector" and not _is_empty_blob(frame)
        for other in self._route(key, blob=blob):
            other.send(frame)

    def _define(self, peer: Peer, frame: Frame) -> None:
        if not self._may_own(peer, frame):
            return
        definition = read(frame)
        if not isinstance(definition, DefVector):
            return
        key = (frame.device, frame.name)
        said, known = without_time(frame), digest(definition)
        changed = self._defined.get(key) != said
        self._defined[key] = said
        for other in self._peers:
            if other is not peer and other.hears(key) and not other.only_blobs:
                self._tell_definition(other, key, frame, known, definition if changed else None)

    def _tell_definition(self, peer: Peer, key: Key, frame: Frame, known: int, news: DefVector | None) -> None:
        """As it is to who asked or does not know it; to others only what has changed, if anything has."""
        if key in peer.owed or key not in peer.knows:
            peer.owed.discard(key)
            peer.send(frame)
        elif peer.knows[key] != known:
            peer.send(pack(DelProperty(device=frame.device.decode(), name=frame.name.decode())))
            peer.send(frame)
        elif news is not None:
            peer.send(as_news(news))
        peer.knows[key] = known

    def _may_own(self, peer: Peer, frame: Frame) -> bool:
        owner = self._owners.get(frame.device)
        if not peer.owner:
            self._scold(peer, frame)
            return False
        if owner is None:
            self._owners[frame.device] = peer
            self._routes.clear()
            return True
        if owner is not peer:
            self._scold(peer, frame)
        return owner is peer

    def _scold(self, peer: Peer, frame: Frame) -> None:
        """Somebody speaks for a device that is not his: said once, and passed on to nobody."""
        if peer.scolded:
            return
        peer.scolded = True
        owner = self._owners.get(frame.device)
        whose = f"it is {owner.label}'s" if owner else "it has not defined it"
        text = f"<{frame.tag.decode()}> of {frame.device.decode()!r} is not for {peer.label} to say: {whose}"
        log.warning("%s", text)
        self._answer(peer, text)

    def _say(self, peer: Peer, frame: Frame) -> None:
        """``message``, of a device or of none."""
        if not peer.owner or self._owners.get(frame.device, peer) is not peer:
            self._scold(peer, frame)
            return
        for other in self._peers:
            if other is peer or other.only_blobs:
                continue
            if other.hears_device(frame.device) if frame.device else not other.owner:
                other.send(frame)

    def _delete(self, peer: Peer, frame: Frame) -> None:
        if self._owners.get(frame.device) is not peer:
            self._scold(peer, frame)
            return
        self._forget(peer, frame)

    def _forget(self, owner: Peer, frame: Frame) -> None:
        """A property or a device is no more: said to all whom it concerns, and forgotten."""
        gone = [key for key in self._defined if _covers((frame.device, frame.name), key)]
        for key in gone:
            del self._defined[key]
        for other in self._peers:
            if other is not owner and not other.only_blobs and self._concerns(other, frame):
                other.send(frame)
            for key in gone:
                other.knows.pop(key, None)
                other.owed.discard(key)

    def _concerns(self, peer: Peer, frame: Frame) -> bool:
        return peer.hears((frame.device, frame.name)) if frame.name else peer.hears_device(frame.device)

    # --- routes ---

    def _take_interest(self, peer: Peer, key: Key) -> None:
        if peer.take_interest(key):
            self._routes.clear()

    def _route(self, key: Key, *, blob: bool) -> Route:
        """Who hears news of a property; kept until somebody's interest changes."""
        route = self._routes.get((key, blob))
        if route is None:
            route = self._routes[key, blob] = tuple(self._audience(key, blob=blob))
        return route

    def _audience(self, key: Key, *, blob: bool) -> Iterable[Peer]:
        owner = self._owners.get(key[0])
        for peer in self._peers:
            if peer is not owner and peer.hears(key) and (peer.takes_blobs(key) if blob else not peer.only_blobs):
                yield peer


def _covers(asked: Key, key: Key) -> bool:
    """Whether what was asked for takes in a property."""
    return asked[0] in (b"", key[0]) and asked[1] in (b"", key[1])


def _is_empty_blob(frame: Frame) -> bool:
    return len(frame.data) < EMPTY_BLOB_BYTES and b"<oneBLOB" not in frame.data
