"""The hub: frames from one peer to all whom they concern.

>>> hub = Hub()
>>> lamp = hub.join("the lamp", print, owner=True)  # doctest: +ELLIPSIS
Frame(data=b'<getProperties version="1.7"/>', ...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from indiflask.hub.journal import Journal
from indiflask.hub.peer import Peer, Send
from indiflask.hub.routing import Routing
from indiflask.protocol.frames import Frame

__all__ = ["Hub", "Journal", "Peer", "Send"]


class Hub:
    """Ties peers together. On the event loop's thread only; never blocks."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._routing = Routing(journal)
        self._flushes: list[Callable[[], None]] = []

    def join(self, label: str, send: Send, *, owner: bool) -> Peer:
        """A new peer; ``label`` names it in logs. An ``owner`` may define devices, and is asked for them at once."""
        peer = Peer(label, send, owner=owner)
        self._routing.join(peer)
        self._flush()
        return peer

    def receive(self, peer: Peer, frames: Iterable[Frame]) -> None:
        """What a peer said."""
        self._routing.take(peer, frames)
        if self._flushes:
            self._flush()

    def leave(self, peer: Peer) -> None:
        """A peer is gone: its devices are deleted at all who knew them."""
        self._routing.leave(peer)
        self._flush()

    def suspend(self, peer: Peer, why: str, *, alert: bool) -> None:
        """An owner's process has ended and will be back: its devices stay, in state Alert if that was not meant."""
        self._routing.suspend(peer, why, alert=alert)
        self._flush()

    def drop(self, peer: Peer) -> None:
        """An owner's process has ended, and may be back: its devices are deleted, and come anew then."""
        self._routing.drop(peer)
        self._flush()

    def wants_blob(self, frame: Frame) -> bool:
        """Whether somebody gets this BLOB: else it need not be made."""
        return self._routing.wants_blob(frame)

    def resume(self, peer: Peer) -> None:
        """It is back, and will define what it has now."""
        self._routing.resume(peer)

    def settle(self, peer: Peer) -> None:
        """It has defined all that it has: what it had before and has no more is deleted, and requests may come."""
        self._routing.settle(peer)
        self._flush()

    def message(self, peer: Peer, text: str) -> None:
        """Something in words about an owner, for all clients."""
        self._routing.message(peer, text)
        self._flush()

    def properties(self) -> dict[str, list[str]]:
        """The names of the properties there are, by device, in the order of their first definition."""
        return self._routing.properties()

    def after(self, flush: Callable[[], None]) -> None:
        """Call this once all that is being received has been passed on: a link sends its frames together then."""
        self._flushes.append(flush)

    def _flush(self) -> None:
        flushes, self._flushes = self._flushes, []
        for flush in flushes:
            flush()
