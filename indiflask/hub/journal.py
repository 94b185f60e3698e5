"""``Journal``: requests and their answers, a readable line each: who, what, how long, outcome.

Kept by the hub and not by the apps, so that it tells of all drivers alike. While frames pass it only takes notes; the
lines are made when somebody has time for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from indiflask.hub.peer import Key
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import NewVector, OneBlob, SetVector
from indiflask.protocol.reader import read
from indiflask.protocol.wirelog import shorten

MOST_LINES = 20
"""At once. A person reads that many; a script that asks a thousand times a second is told of in one more."""

MOST_BYTES = 4096
"""Of a request that are kept for its line."""

VALUE_LENGTH = 40
"""Characters of a value that are shown."""

_STATE = re.compile(rb"""\sstate\s*=\s*["'](\w+)""")


class Asked(NamedTuple):
    """A request: who asked for what, and when."""

    who: str
    frame: Frame
    at: float


class Note(NamedTuple):
    """A request, the answer or why there is none, and after how many seconds."""

    asked: Asked
    answer: Frame | str
    seconds: float


class Journal:
    """Takes notes of what passes, until ``lines`` takes them. ``news`` is called when there is something to take."""

    def __init__(self, time: Callable[[], float], news: Callable[[], None]) -> None:
        self._time = time
        self._news = news
        self.awaited: dict[Key, list[Asked]] = {}
        """Requests that have not been answered."""
        self._busy: set[Key] = set()
        self._notes: list[Note] = []
        self._more = 0

    def asked(self, who: str, key: Key, frame: Frame, *, known: bool) -> None:
        """Somebody asks for something; for a property that nobody has defined there will be no answer."""
        if len(self._notes) >= MOST_LINES or len(self.awaited.get(key, ())) >= MOST_LINES:
            self._more += 1
            return
        if len(frame.data) > MOST_BYTES:
            frame = Frame(shorten(frame.data).encode(), b"", frame.device, frame.name)
        asked = Asked(who, frame, self._time())
        if known:
            self.awaited.setdefault(key, []).append(asked)
        else:
            self._note([asked], "no such property")

    def refused(self, who: str, frame: Frame, why: str) -> None:
        """Somebody asks for something of one who is not there."""
        self._note([Asked(who, frame, self._time())], why)

    def answered(self, key: Key, frame: Frame) -> None:
        """News of a property of which something is awaited. Busy is said once, and the end waited for."""
        if b"Busy" in frame.data and _is_busy(frame):
            if key not in self._busy:
                self._busy.add(key)
                self._note(self.awaited[key], frame)
        else:
            self._busy.discard(key)
            *before, last = self.awaited.pop(key)
            self._note(before, "answered with the next")
            self._note([last], frame)

    def forget(self, key: Key, why: str = "the property is gone") -> None:
        """Nobody will answer for a property."""
        self._busy.discard(key)
        self._note(self.awaited.pop(key, []), why)

    def _note(self, requests: list[Asked], answer: Frame | str) -> None:
        if not self._notes and requests:
            self._news()
        now = self._time()
        for asked in requests:
            if len(self._notes) < MOST_LINES:
                self._notes.append(Note(asked, answer, now - asked.at))
            else:
                self._more += 1

    def lines(self) -> list[str]:
        """What there is to tell since the last time."""
        notes, more = self._notes, self._more
        self._notes, self._more = [], 0
        lines = [_line(note) for note in notes]
        return [*lines, f"... and {more} more requests"] if more else lines


def _is_busy(frame: Frame) -> bool:
    found = _STATE.search(frame.data, 0, frame.data.find(b">"))
    return found is not None and found[1] == b"Busy"


def _line(note: Note) -> str:
    frame = note.asked.frame
    return f"{frame.device.decode()}.{frame.name.decode()} {_values(frame)} by {note.asked.who}: {_outcome(note)}"


def _values(frame: Frame) -> str:
    try:
        request = read(frame) if frame.tag else None
    except ProtocolError:
        request = None
    if not isinstance(request, NewVector):
        return shorten(frame.data)
    return " ".join(f"{one.name}={_value(one)}" for one in request.members)


def _value(one: object) -> str:
    if isinstance(one, OneBlob):
        return f"[{one.size} bytes of {one.format}]"
    text = str(getattr(one, "value", ""))
    text = text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}..."
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _outcome(note: Note) -> str:
    if isinstance(note.answer, str):
        return note.answer
    took = _duration(note.seconds)
    try:
        answer = read(note.answer) if len(note.answer.data) <= MOST_BYTES else None
    except ProtocolError:
        answer = None
    if not isinstance(answer, SetVector) or answer.state is None:
        return f"answered, {took}"
    return f"{answer.state.value}, {took}" + (f": {answer.message}" if answer.message else "")


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
