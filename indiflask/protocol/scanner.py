"""The slow, sure way through one element: an incremental tokenizer that looks at each byte once.

It takes what the expressions of `grammar` do not: elements that are incomplete, large, unusual or wrong. It stops
where the bytes end and goes on from there, however they are split, and it names the first byte that is wrong as soon
as that has come. It keeps no tree: where it is, which tags are open, and what the routing needs to know.

Each step is a method that reads one run of bytes or one character, says which step comes next and returns True, or
returns False where it needs more bytes than there are.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.grammar import (
    BRACKETS,
    CONTROLS,
    MORE_TEXT,
    MORE_VALUE,
    NAME,
    NAME_START,
    REFERENCE,
    REFERENCE_BEGUN,
    TEXT,
    VALUE,
    WHITE,
    is_legal,
)
from indiflask.protocol.limits import REFERENCE_BYTES, Limits

__all__ = ["Scanner", "Verdict"]

_Buffer: TypeAlias = bytes | bytearray

_LT, _GT, _SLASH, _BANG, _QUESTION, _EQUALS, _AMP, _BRACKET = b"<>/!?=&]"
_BLANKS: Final = b" \t\r\n"
_BLOB: Final = b"oneBLOB"
_BLOB_VECTORS: Final = frozenset((b"setBLOBVector", b"newBLOBVector"))
_NO_BASE64: Final = CONTROLS + b"&]"


class Verdict(enum.Enum):
    """How far the scanner has come with what it began."""

    OPEN = enum.auto()
    ELEMENT = enum.auto()
    DROPPED = enum.auto()


class Scanner:
    """Scans one thing that begins with ``<`` at the top level: an element, a comment or an instruction.

    Positions are offsets into the buffer that is given to each call; `shift` moves them when the buffer's head goes.
    Once `run` says ELEMENT, ``start`` and ``at`` are its ends, ``device`` and ``name`` what those attributes say, as
    they stand, and ``attached`` how many BLOBs come as file descriptors.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.begin(0)

    def begin(self, at: int) -> None:
        """Start anew at the ``<`` at offset ``at``."""
        self.start = self.at = self._token = at
        self.tag = self.device = self.name = b""
        self.attached = 0
        self._child: bytes | None = None
        self._members = 0
        self._quote = b""
        self._attribute = b""
        self._attributes: set[bytes] = set()
        self._end = self._bound = at + self._limits.message_bytes
        self._why = self._end_why = f"a message is longer than {self._limits.message_bytes} bytes"
        self._verdict = Verdict.OPEN
        self._step: Callable[[_Buffer, int], bool] = self._opening

    def shift(self, by: int) -> None:
        """The buffer lost its first ``by`` bytes, which are not looked at any more."""
        self.start -= by
        self.at -= by
        self._token -= by
        self._end -= by
        self._bound -= by

    def run(self, buffer: _Buffer) -> Verdict:
        """Go on to the end of what was begun, or of the buffer. Raises `ProtocolError` at an offset of the buffer."""
        while self._verdict is Verdict.OPEN:
            stop = min(len(buffer), self._bound)
            if not self._step(buffer, stop):
                if len(buffer) > self._bound:
                    raise ProtocolError(self._why, self._bound)
                break
        return self._verdict

    @property
    def in_blob(self) -> bool:
        """Whether all bytes so far are behind, and what comes next is a BLOB's text."""
        return self._step == self._blob

    @property
    def open_tag(self) -> str:
        """What is open, for people."""
        return f"<{self.tag.decode()}>" if self.tag else "a tag or a comment"

    # What begins at the top level

    def _opening(self, buffer: _Buffer, stop: int) -> bool:
        if stop - self.at < 2:
            return False
        byte = buffer[self.at + 1]
        if byte == _BANG:
            return self._comment_opening(buffer, stop)
        if byte == _SLASH:
            raise ProtocolError("an end tag without its start tag", self.at)
        if byte == _QUESTION:
            self._bind(self.start, self._limits.comment_bytes, "an instruction is")
            self.at += 2
            self._step = self._instruction
        else:
            self._open_tag()
        return True

    def _comment_opening(self, buffer: _Buffer, stop: int) -> bool:
        begun = bytes(buffer[self.at : min(self.at + 4, stop)])
        if not b"<!--".startswith(begun):
            raise ProtocolError("<! may only begin a comment: INDI has no DOCTYPE, entities or CDATA", self.at)
        if len(begun) < 4:
            return False
        self._bind(self.start, self._limits.comment_bytes, "a comment is")
        self.at += 4
        self._step = self._comment
        return True

    def _comment(self, buffer: _Buffer, stop: int) -> bool:
        dashes = buffer.find(b"--", self.at, stop)
        if dashes < 0:
            self.at = max(self.at, stop - 1)
            return False
        self.at = dashes
        if stop - dashes < 3:
            return False
        if buffer[dashes + 2] != _GT:
            raise ProtocolError("-- may not stand inside a comment", dashes)
        self.at += 3
        self._verdict = Verdict.DROPPED
        return True

    def _instruction(self, buffer: _Buffer, stop: int) -> bool:
        end = buffer.find(b"?>", self.at, stop)
        self.at = end + 2 if end >= 0 else max(self.at, stop - 1)
        if end >= 0:
            self._verdict = Verdict.DROPPED
        return end >= 0

    # Start tags

    def _open_tag(self) -> None:
        """At a ``<`` that begins the element's tag, or a child's."""
        self._token = self.at
        self._attributes = set()
        self._bind(self.at, self._limits.start_tag_bytes, "a start tag is")
        self.at += 1
        self._step = self._tag_start

    def _tag_start(self, buffer: _Buffer, stop: int) -> bool:
        if self.at >= stop:
            return False
        if buffer[self.at] not in NAME_START:
            raise ProtocolError(f"< stands before {_shown(buffer, self.at)}, not a tag; in text it is &lt;", self.at)
        self._step = self._tag_name
        return True

    def _tag_name(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(NAME, buffer, self.at, stop)
        if self.at >= stop:
            return False
        tag = bytes(buffer[self._token + 1 : self.at])
        if self._child is None:
            self.tag = tag
            if tag in _BLOB_VECTORS:
                limit = self._limits.blob_bytes
                self._end, self._end_why = self.start + limit, f"a message with BLOBs is longer than {limit} bytes"
                self._bind(self._token, self._limits.start_tag_bytes, "a start tag is")
        else:
            self._child = tag
        self._step = self._in_tag
        return True

    def _in_tag(self, buffer: _Buffer, stop: int) -> bool:
        blank = self.at
        self.at = _after(WHITE, buffer, self.at, stop)
        if self.at >= stop:
            return False
        byte = buffer[self.at]
        if byte == _GT:
            self.at += 1
            self._start_tag_ends()
        elif byte == _SLASH:
            self.at += 1
            self._step = self._empty_tag
        elif byte not in NAME_START:
            raise ProtocolError(f"{_shown(buffer, self.at)} stands where an attribute or > should", self.at)
        elif blank == self.at and buffer[self.at - 1] not in _BLANKS:
            raise ProtocolError("a blank must stand before an attribute", self.at)
        elif len(self._attributes) >= self._limits.attributes:
            raise ProtocolError(f"a tag has more than {self._limits.attributes} attributes", self.at)
        else:
            self._token = self.at
            self._step = self._attribute_name
        return True

    def _attribute_name(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(NAME, buffer, self.at, stop)
        if self.at >= stop:
            return False
        self._attribute = bytes(buffer[self._token : self.at])
        if self._attribute in self._attributes:
            raise ProtocolError(f"the attribute {self._attribute.decode()} stands twice in one tag", self._token)
        if self._attribute == b"xmlns":
            raise ProtocolError("INDI has no namespaces", self._token)
        self._attributes.add(self._attribute)
        self._step = self._equals
        return True

    def _equals(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(WHITE, buffer, self.at, stop)
        if self.at >= stop:
            return False
        if buffer[self.at] != _EQUALS:
            raise ProtocolError(f"the attribute {self._attribute.decode()} has no value", self.at)
        self.at += 1
        self._step = self._value_start
        return True

    def _value_start(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(WHITE, buffer, self.at, stop)
        if self.at >= stop:
            return False
        self._quote = bytes(buffer[self.at : self.at + 1])
        if self._quote not in VALUE:
            raise ProtocolError(f"the value of {self._attribute.decode()} is not in quotes", self.at)
        self.at += 1
        self._token = self.at
        self._step = self._value
        return True

    def _value(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(VALUE[self._quote], buffer, self.at, stop)
        if self.at >= stop:
            return False
        byte = buffer[self.at]
        if byte == _AMP:
            return self._more(MORE_VALUE[self._quote], buffer, stop) or self._reference(buffer, stop)
        if byte == _LT:
            raise ProtocolError("< in an attribute's value is written &lt;", self.at)
        if byte != self._quote[0]:
            raise _control(buffer, self.at)
        self._keep(bytes(buffer[self._token : self.at]))
        self.at += 1
        self._step = self._in_tag
        return True

    def _keep(self, value: bytes) -> None:
        if self._child is not None:
            self.attached += self._child == _BLOB and self._attribute == b"attached" and value == b"true"
        elif self._attribute == b"device":
            self.device = value
        elif self._attribute == b"name":
            self.name = value

    def _empty_tag(self, buffer: _Buffer, stop: int) -> bool:
        if self.at >= stop:
            return False
        if buffer[self.at] != _GT:
            raise ProtocolError("/ in a tag must be followed by >", self.at)
        self.at += 1
        self._element_ends()
        return True

    def _start_tag_ends(self) -> None:
        self._bound, self._why = self._end, self._end_why
        self._step = self._blob if self._child == _BLOB else self._text

    # Text and end tags

    def _text(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(TEXT, buffer, self.at, stop)
        if self.at >= stop:
            return False
        byte = buffer[self.at]
        if byte == _LT:
            self._step = self._markup
            return True
        if byte == _AMP:
            return self._more(MORE_TEXT, buffer, stop) or self._reference(buffer, stop)
        if byte == _BRACKET:
            return self._more(MORE_TEXT, buffer, stop) or self._bracket(buffer, stop)
        raise _control(buffer, self.at)

    def _bracket(self, buffer: _Buffer, stop: int) -> bool:
        end = _after(BRACKETS, buffer, self.at, stop)
        if end >= stop:
            self.at = max(self.at, end - 2)  # a > may still come, and two are enough to make it wrong
            return False
        if buffer[end] == _GT and end - self.at >= 2:
            raise ProtocolError("]]> may not stand in text; > is written &gt;", end - 2)
        self.at = end
        return True

    def _blob(self, buffer: _Buffer, stop: int) -> bool:
        """The text of a BLOB, at memory speed: nothing in base64 is special, so that a few memchr are enough."""
        found = buffer.find(b"<", self.at, stop)
        end = stop if found < 0 else found
        piece = bytes(memoryview(buffer)[self.at : end])
        if not piece.isascii() or any(byte in piece for byte in _NO_BASE64):
            at = self.at + next(index for index, byte in enumerate(piece) if byte >= 0x80 or byte in _NO_BASE64)
            raise ProtocolError(f"{_shown(buffer, at)} is no base64", at)
        self.at = end
        if found >= 0:
            self._step = self._markup
        return found >= 0

    def _more(self, run: re.Pattern[bytes], buffer: _Buffer, stop: int) -> bool:
        before, self.at = self.at, _after(run, buffer, self.at, stop)
        return self.at > before

    def _reference(self, buffer: _Buffer, stop: int) -> bool:
        window = min(stop, self.at + REFERENCE_BYTES)
        found = REFERENCE.match(buffer, self.at, window)
        if found is not None and is_legal(found[2], found[3]):
            self.at = found.end()
            return True
        if found is None and window == stop and REFERENCE_BEGUN.fullmatch(buffer, self.at, stop):
            return False
        raise ProtocolError("& must begin one of XML's five entities or a character's number, or be &amp;", self.at)

    def _markup(self, buffer: _Buffer, stop: int) -> bool:
        if stop - self.at < 2:
            return False
        byte = buffer[self.at + 1]
        if byte == _SLASH:
            self.at += 2
            self._step = self._end_tag
            return True
        if byte in (_BANG, _QUESTION):
            raise ProtocolError("an element may not hold comments, CDATA or instructions", self.at)
        if self._child is not None:
            raise ProtocolError(f"<{self._child.decode()}> may hold text only, no elements", self.at)
        if self._members >= self._limits.members:
            raise ProtocolError(f"{self.open_tag} has more than {self._limits.members} members", self.at)
        self._members += 1
        self._child = b""
        self._open_tag()
        return True

    def _end_tag(self, buffer: _Buffer, stop: int) -> bool:
        tag = self.tag if self._child is None else self._child
        seen = bytes(buffer[self.at : min(self.at + len(tag), stop)])
        if not tag.startswith(seen):
            raise ProtocolError(f"</{tag.decode()}> must stand here", self.at)
        if len(seen) < len(tag):
            return False
        self.at += len(tag)
        self._step = self._end_tag_ends
        return True

    def _end_tag_ends(self, buffer: _Buffer, stop: int) -> bool:
        self.at = _after(WHITE, buffer, self.at, stop)
        if self.at >= stop:
            return False
        if buffer[self.at] != _GT:
            raise ProtocolError(f"{_shown(buffer, self.at)} stands where > should end an end tag", self.at)
        self.at += 1
        self._element_ends()
        return True

    def _element_ends(self) -> None:
        if self._child is None:
            self._verdict = Verdict.ELEMENT
            return
        self._child = None
        self._start_tag_ends()

    def _bind(self, begun: int, limit: int, what: str) -> None:
        """Until further notice, ``what`` may have ``limit`` bytes, unless the element itself must end before."""
        self._bound, self._why = self._end, self._end_why
        if begun + limit < self._end:
            self._bound, self._why = begun + limit, f"{what} longer than {limit} bytes"


def _after(run: re.Pattern[bytes], buffer: _Buffer, at: int, stop: int) -> int:
    """Where a run that may be empty ends."""
    found = run.match(buffer, at, stop)
    return at if found is None else found.end()


def _control(buffer: _Buffer, at: int) -> ProtocolError:
    return ProtocolError(f"the control character {_shown(buffer, at)} is no XML", at)


def _shown(buffer: _Buffer, at: int) -> str:
    """A byte for people: itself where it prints, else its number."""
    byte = buffer[at]
    return chr(byte) if 0x21 <= byte < 0x7F else f"0x{byte:02x}"
