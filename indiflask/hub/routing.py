"""Who gets which frame. Pure: frames in, frames out by each peer's ``send``; no IO, no clock, no values kept.

A device has one owner, which alone may speak for it. Everybody else hears what it asked for.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable

from indiflask.hub.definitions import alarmed, alert_of, as_news, digest, without_time
from indiflask.hub.journal import Journal
from indiflask.hub.peer import Key, Peer
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    DefVector,
    DelProperty,
    EnableBlob,
    GetProperties,
    Kind,
    Message,
    PingReply,
    PingRequest,
    State,
)
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack

log = logging.getLogger(__name__)

EMPTY_BLOB_BYTES = 2048
"""A BLOB vector that is shorter, and has no member, is about state alone, and is news like any other."""

EARLY_REQUESTS = 1000
"""That may wait for apps and drivers to start: a script after a boot has some ..."""

EARLY_BYTES = 16 * 1024
"""... each of which is no file."""

Route = tuple[Peer, ...]


class Routing:
    """The rules. ``take`` is the only way in for frames."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._peers: list[Peer] = []
        self._owners: dict[bytes, Peer] = {}
        self._defined: dict[Key, bytes] = {}
        """Properties that exist, with their definition as it was last said; empty once it has changed since."""
        self._frames: dict[Key, Frame] = {}
        """Their definitions, for who asks while their owner is away."""
        self._digests: dict[Key, int] = {}
        """And what of them clients must know anew when it changes."""
        self._starting: dict[Peer, set[Key]] = {}
        """Owners that have not told all that they have yet, with what they had before and have not defined again."""
        self._early: list[tuple[Peer, Frame]] = []
        """Requests for devices that nobody has, while owners start that may."""
        self._awaited_devices: set[bytes] = set()
        """Theirs: what comes later waits behind them."""
        self._routes: dict[Key, Route] = {}
        self._blob_routes: dict[Key, Route] = {}
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
        self._forget_routes()
        if peer.owner:
            self._starting[peer] = set()
            peer.send(pack(GetProperties()))

    def leave(self, peer: Peer) -> None:
        """An end is gone, and with it its devices."""
        self._peers.remove(peer)
        self._forget_routes()
        self._disown(peer)

    def _disown(self, peer: Peer) -> None:
        for device in [device for device, owner in self._owners.items() if owner is peer]:
            del self._owners[device]
            self._forget(peer, pack(DelProperty(device=device.decode())))
        self._has_started(peer)

    # --- an owner whose process ends and begins again ---

    def drop(self, peer: Peer) -> None:
        """Its devices are gone, and what it wanted is forgotten."""
        peer.forget()
        self._forget_routes()
        self._disown(peer)

    def suspend(self, peer: Peer, why: str, *, alert: bool) -> None:
        """Its devices stay. With ``alert`` clients are told that something is wrong."""
        peer.away = why
        peer.forget()
        self._forget_routes()
        for key in self._owned(peer):
            self._defined[key] = b""  # whatever it says next is news
            if alert:
                for other in self._route(key):
                    other.send(alert_of(self._frames[key]))
            if self._journal is not None:
                self._journal.forget(key, "its driver has ended")
        if alert:
            self._has_started(peer)

    def resume(self, peer: Peer) -> None:
        """A new process speaks for its devices."""
        peer.away = None
        self._starting[peer] = set(self._owned(peer))

    def settle(self, peer: Peer) -> None:
        """What it had before and has not defined again is no more."""
        for device, name in sorted(self._starting.get(peer, ())):
            self._forget(peer, pack(DelProperty(device=device.decode(), name=name.decode())))
        kept = {device for device, _ in self._defined}
        for device in [device for device, owner in self._owners.items() if owner is peer and device not in kept]:
            del self._owners[device]
            self._forget(peer, pack(DelProperty(device=device.decode())))
        self._has_started(peer)

    def _has_started(self, peer: Peer) -> None:
        """Or will not: requests that waited for it are taken now."""
        if self._starting.pop(peer, None) is not None:
            early, self._early = self._early, []
            self._awaited_devices.clear()
            for asker, frame in early:
                self.take(asker, [frame])

    def message(self, peer: Peer, text: str) -> None:
        """To each client that hears of one of its devices; to all, while it has none."""
        devices = sorted(device for device, owner in self._owners.items() if owner is peer)
        for device in devices or [b""]:
            self._say(peer, pack(Message(message=text, device=device.decode() or None)))

    def _owned(self, peer: Peer) -> list[Key]:
        return [key for key in self._defined if self._owners.get(key[0]) is peer]

    def wants_blob(self, frame: Frame) -> bool:
        """Whether somebody gets this BLOB."""
        return bool(self._blob_route((frame.device, frame.name)))

    def properties(self) -> dict[str, list[str]]:
        """The names of all that is defined, by device."""
        found: dict[str, list[str]] = {}
        for device, name in self._defined:
            found.setdefault(device.decode(), []).append(name.decode())
        return found

    # --- frames ---

    def take(self, peer: Peer, frames: Iterable[Frame]) -> None:
        """Pass frames on to whom they concern. What is no INDI is answered, and goes nowhere."""
        for frame in frames:
            try:
                self._rules.get(frame.tag, self._ignore)(peer, frame)
            except ProtocolError as error:
                log.warning("%s: %s", peer.label, error.why)
                self._answer(peer, error.why)

    def _ignore(self, peer: Peer, frame: Frame) -> None:
        log.debug("%s said <%s>, which is not for others", peer.label, frame.tag.decode())

    def _answer(self, peer: Peer, text: str, device: bytes = b"") -> None:
        peer.send(pack(Message(message=text, device=device.decode() or None)))

    # --- what clients say, and drivers that snoop ---

    def _ask(self, peer: Peer, frame: Frame) -> None:
        """``getProperties`` is remembered, and goes to whom it concerns, who answers."""
        key = (frame.device, frame.name)
        self._take_interest(peer, key)
        peer.owed.update(self._existing(key))
        owners = [self._owners.get(frame.device)] if frame.device else [one for one in self._peers if one.owner]
        for owner in owners:
            if owner is not None and owner is not peer:
                owner.send(frame)
                if owner.away:
                    self._show_as_it_was(peer, owner, key)

    def _show_as_it_was(self, peer: Peer, owner: Peer, asked: Key) -> None:
        """The definitions of an owner that is away, in state Alert, and why."""
        for key in self._owned(owner):
            if _covers(asked, key):
                peer.owed.discard(key)
                self._tell_definition(peer, key, alarmed(self._frames[key]), self._digests[key], None)
        self._answer(peer, owner.away or "")

    def _enable_blob(self, peer: Peer, frame: Frame) -> None:
        element = read(frame)
        if isinstance(element, EnableBlob):
            key = (frame.device, frame.name)
            peer.take_interest(key)
            peer.set_blob_mode(key, element.mode)
            self._forget_routes()

    def _request(self, peer: Peer, frame: Frame) -> None:
        """``new…`` goes to the device's owner, and to other clients that it concerns, as libindi does."""
        key = (frame.device, frame.name)
        owner = self._owners.get(frame.device)
        if owner is None or frame.device in self._awaited_devices:
            self._request_early(peer, frame)
            return
        if key not in peer.named:
            self._take_interest(peer, key)
        if owner.away:
            self._request_in_vain(peer, frame, owner.away)
            return
        if self._journal is not None:
            self._journal.asked(peer.label, key, frame, known=key in self._defined)
        owner.send(frame)
        for other in self._blob_route(key) if frame.tag == b"newBLOBVector" else self._route(key):
            if other is not peer and not other.owner:
                other.send(frame)

    def _request_early(self, peer: Peer, frame: Frame) -> None:
        """Nobody has the device: it waits as long as somebody starts who may."""
        if self._starting and len(self._early) < EARLY_REQUESTS and len(frame.data) <= EARLY_BYTES:
            self._early.append((peer, frame))
            self._awaited_devices.add(frame.device)
        else:
            self._answer(peer, self._unknown(frame.device), frame.device)

    def _request_in_vain(self, peer: Peer, frame: Frame, why: str) -> None:
        """The device's owner is away."""
        definition = self._frames.get((frame.device, frame.name))
        if definition is not None:
            peer.send(alert_of(definition))
        self._answer(peer, why, frame.device)
        if self._journal is not None and len(frame.data) <= EARLY_BYTES:
            self._journal.refused(peer.label, frame, why)

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
        if self._journal is not None and key in self._journal.awaited:
            self._journal.answered(key, frame)
        is_blob = frame.tag == b"setBLOBVector" and not _is_empty_blob(frame)
        for other in self._blob_route(key) if is_blob else self._route(key):
            other.send(frame)

    def _define(self, peer: Peer, frame: Frame) -> None:
        if not self._may_own(peer, frame):
            return
        key, said = (frame.device, frame.name), without_time(frame)
        news: DefVector | None = None
        if self._defined.get(key) != said:  # read only if it is not what was said the last time
            element = read(frame)
            if not isinstance(element, DefVector):
                return
            news, self._digests[key] = element, digest(element)
        known = self._digests[key]
        self._defined[key] = said
        self._frames[key] = frame
        if peer in self._starting:
            self._starting[peer].discard(key)
        for other in self._peers:
            if other is not peer and other.hears(key) and not other.only_blobs:
                self._tell_definition(other, key, frame, known, news)

    def _tell_definition(self, peer: Peer, key: Key, frame: Frame, known: int, news: DefVector | None) -> None:
        """As it is to who asked or does not know it; to others only what has changed, if anything has."""
        if key in peer.owed or key not in peer.knows:
            peer.owed.discard(key)
            peer.send(frame)
        elif peer.knows[key] != known:
            peer.send(pack(DelProperty(device=frame.device.decode(), name=frame.name.decode())))
            peer.send(frame)
        elif news is not None and not (news.kind is Kind.BLOB and news.state is State.BUSY):
            peer.send(as_news(news))  # an empty BLOB vector while Busy stops PHD2's looping
        peer.knows[key] = known

    def _may_own(self, peer: Peer, frame: Frame) -> bool:
        owner = self._owners.get(frame.device)
        if not peer.owner:
            self._scold(peer, frame)
            return False
        if owner is None:
            self._owners[frame.device] = peer
            self._forget_routes()
            return True
        if owner is not peer:
            self._scold(peer, frame)
        return owner is peer

    def _scold(self, peer: Peer, frame: Frame) -> None:
        """Somebody speaks for a device that is not his: said once, and passed on to nobody."""
        owner = self._owners.get(frame.device)
        if owner is None and peer.owner:
            log.debug("%s speaks of %s, which it has not defined", peer.label, frame.device.decode())
            return  # libindi's drivers do so at their start
        if peer.scolded:
            return
        peer.scolded = True
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
        gone = self._existing((frame.device, frame.name))
        for key in gone:
            del self._defined[key], self._frames[key], self._digests[key]
            if self._journal is not None:
                self._journal.forget(key)
        for other in self._peers:
            if other is not owner and not other.only_blobs and self._concerns(other, frame):
                other.send(frame)
            for key in gone:
                other.knows.pop(key, None)
                other.owed.discard(key)

    def _existing(self, asked: Key) -> list[Key]:
        """What is defined of what was asked for: a property, a device, or everything."""
        if all(asked):
            return [asked] if asked in self._defined else []
        return [key for key in self._defined if _covers(asked, key)]

    def _concerns(self, peer: Peer, frame: Frame) -> bool:
        return peer.hears((frame.device, frame.name)) if frame.name else peer.hears_device(frame.device)

    # --- routes ---

    def _take_interest(self, peer: Peer, key: Key) -> None:
        if key not in peer.named:
            peer.take_interest(key)
            self._forget_routes()

    def _forget_routes(self) -> None:
        self._routes.clear()
        self._blob_routes.clear()

    def _route(self, key: Key) -> Route:
        """Who hears news of a property; kept until somebody's interest changes."""
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = tuple([peer for peer in self._audience(key) if not peer.only_blobs])
        return route

    def _blob_route(self, key: Key) -> Route:
        """Who gets its BLOBs."""
        route = self._blob_routes.get(key)
        if route is None:
            route = self._blob_routes[key] = tuple([peer for peer in self._audience(key) if peer.takes_blobs(key)])
        return route

    def _audience(self, key: Key) -> list[Peer]:
        owner = self._owners.get(key[0])
        return [peer for peer in self._peers if peer is not owner and peer.hears(key)]


def _covers(asked: Key, key: Key) -> bool:
    """Whether what was asked for takes in a property."""
    return asked[0] in (b"", key[0]) and asked[1] in (b"", key[1])


def _is_empty_blob(frame: Frame) -> bool:
    return len(frame.data) < EMPTY_BLOB_BYTES and b"<oneBLOB" not in frame.data
