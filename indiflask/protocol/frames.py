"""Framing: a stream of bytes in, whole checked elements out, still as bytes.

The promise: *whatever bytes come in, the result is frames or one ProtocolError that says where and why.* A frame is
well-formed, flat INDI in UTF-8, so that whoever gets it passed on can read it with any parser; what it means is the
`reader`'s concern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.escapes import unescape
from indiflask.protocol.grammar import WHITE, is_plain, whole
from indiflask.protocol.limits import Limits
from indiflask.protocol.scanner import Scanner, Verdict

__all__ = ["Frame", "Framer"]

#: No expression counts members or attributes; what is this small, and matches, keeps within these numbers.
_SMALLEST_MEMBER: Final = len('<oneText name=""/>')
_MOST_ATTRIBUTES: Final = 12

#: From this size on a piece of a BLOB is kept as it came; what it costs beside its bytes is then nothing.
_PIECE_BYTES: Final = 64 * 1024

#: UTF-8 of U+FFFE and U+FFFF, which Python decodes and XML refuses.
_NO_CHARACTER: Final = re.compile(b"\xef\xbf[\xbe\xbf]")


@dataclass(slots=True)
class Frame:
    """One element of the stream: its bytes as they go on to others, and what a router needs to know of them.

    ``device`` and ``name`` are those attributes in UTF-8, entities resolved, empty where absent. ``attached`` BLOBs
    have their data in file descriptors, which the links put into ``fds``. ``at`` is where it began in its stream.
    """

    data: bytes
    tag: bytes
    device: bytes = b""
    name: bytes = b""
    attached: int = 0
    fds: Sequence[int] = ()
    at: int = field(default=0, compare=False)


class Framer:
    """Splits one peer's stream into frames. Feed it what comes; once ``error`` is set the stream is at its end.

    ``start`` is the stream's position at the first byte fed, for the places that errors name.
    """

    def __init__(self, limits: Limits | None = None, start: int = 0) -> None:
        limits = limits or Limits()
        self.error: ProtocolError | None = None
        self._scanner = Scanner(limits)
        self._held = bytearray()
        self._pieces: list[bytes] = []
        self._at = self._begun = start
        self._quotes = (b'"', b"'")
        most_members = limits.members * _SMALLEST_MEMBER
        self._most = min(limits.message_bytes, limits.start_tag_bytes, limits.comment_bytes, most_members)
        if limits.attributes < _MOST_ATTRIBUTES:
            self._most = 0

    @property
    def open_bytes(self) -> int:
        """How many bytes of an unfinished element have come; 0 between elements. For the link, which has the clock."""
        return self._at + len(self._held) - self._begun if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether an element has begun and not ended."""
        return bool(self._held or self._pieces)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with ``data``; also those before a byte that sets ``error``."""
        frames: list[Frame] = []
        if self.error is not None:
            return frames
        try:
            rest = self._finish_open(data, frames) if self.is_open else 0
            if not self.is_open:
                self._split(data, rest, frames)
        except ProtocolError as error:
            self._fail(error.why, self._at + error.at)
        return frames

    def close(self) -> None:
        """The stream is at its end: an error if an element is still open."""
        if self.error is None and self.is_open:
            why = f"the stream ends inside {self._scanner.open_tag}, which began at byte {self._begun}"
            self._fail(why, self._at + len(self._held))

    def _fail(self, why: str, at: int) -> None:
        self.error = ProtocolError(why, at)
        self._held.clear()
        self._pieces.clear()

    def _finish_open(self, data: bytes, frames: list[Frame]) -> int:
        """Go on with the element that is open; returns where in ``data`` it ends."""
        before = len(self._held)
        if before:
            self._held += data
        buffer = self._held if before else data
        verdict = self._scanner.run(buffer)
        if verdict is Verdict.OPEN:
            self._hold(buffer)
            return len(data)
        end = self._scanner.at
        if verdict is Verdict.ELEMENT:
            with memoryview(buffer) as view:
                element = b"".join((*self._pieces, view[:end]))
            frames.append(self._frame(element, self._begun - self._at, self._begun))
        self._held.clear()
        self._pieces.clear()
        self._at += before
        return end - before

    def _hold(self, buffer: bytes | bytearray) -> None:
        """Keep the bytes of an open element.

        They grow in place until a BLOB's text is all that is coming: that is kept in the pieces in which it comes, so
        that it is copied once, when it is whole. Small pieces are put together first, for each has its overhead.
        """
        if self._scanner.in_blob and len(buffer) >= _PIECE_BYTES:
            self._pieces.append(bytes(buffer))
            self._at += len(buffer)
            self._scanner.shift(len(buffer))
            self._held.clear()
        elif buffer is not self._held:
            self._held += buffer

    def _split(self, data: bytes, at: int, frames: list[Frame]) -> None:
        """Take all whole elements from ``at`` on, and hold what begins and does not end."""
        plain = is_plain(data)
        finished = plain and data.isascii()
        while True:
            at = self._split_fast(data, at, frames, plain, finished)
            if at < len(data):
                at = _skip_white(data, at)
            if at == len(data):
                break
            self._scanner.begin(at)
            verdict = self._scanner.run(data)
            if verdict is Verdict.OPEN:
                self._begun = self._at = self._at + at
                self._scanner.shift(at)
                self._hold(data[at:])
                return
            if verdict is Verdict.ELEMENT:
                frames.append(self._frame(data[at : self._scanner.at], at, self._at + at))
            at = self._scanner.at
        self._at += at

    def _split_fast(self, data: bytes, at: int, frames: list[Frame], plain: bool, finished: bool) -> int:
        """Take elements as long as one expression matches each; returns the end of the last one.

        A peer writes all its attributes in the same quotes, so the other kind is tried only where that one fails.
        ``finished`` says that nothing needs to be resolved or re-encoded.
        """
        most, base, append = self._most, self._at, frames.append
        end = len(data) - data.endswith(b"\n")  # what is behind is not tried in vain
        for quote in self._quotes:
            first, match = at, whole(quote, plain).match
            while at < end and (found := match(data, at, at + most)) is not None:
                element, tag, device, name = found.group(1, 2, 3, 4)
                at = found.end()
                frame = Frame(element, tag, device or b"", name or b"", 0, (), base + at - len(element))
                append(frame if finished else _finished(frame, at - len(element)))
            if at > first and quote != self._quotes[0]:
                self._quotes = self._quotes[::-1]
            if at >= end:
                return len(data)
        return at

    def _frame(self, element: bytes, at: int, begun: int) -> Frame:
        """The element that the scanner has come to the end of; it begins at ``at`` of the buffer, or before it."""
        scanner = self._scanner
        return _finished(Frame(element, scanner.tag, scanner.device, scanner.name, scanner.attached, (), begun), at)


def _skip_white(data: bytes, at: int) -> int:
    found = WHITE.match(data, at)
    at = at if found is None else found.end()
    if at < len(data) and data[at] != 0x3C:
        raise ProtocolError(f"{data[at : at + 1]!r} stands between elements, where only < may follow", at)
    return at


def _finished(frame: Frame, at: int) -> Frame:
    """The frame in UTF-8, entities resolved. Old drivers write Latin-1: what is no UTF-8 is taken as that."""
    if not frame.data.isascii():
        try:
            frame.data.decode()
        except UnicodeDecodeError:
            frame.data, frame.device, frame.name = (
                part.decode("latin-1").encode() for part in (frame.data, frame.device, frame.name)
            )
        illegal = _NO_CHARACTER.search(frame.data)
        if illegal is not None:
            raise ProtocolError("U+FFFE and U+FFFF are no characters", at + illegal.start())
    frame.device, frame.name = unescape(frame.device), unescape(frame.name)
    return frame
