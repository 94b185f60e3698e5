"""Text as it stands between tags and quotes: the five entities, character numbers, and what has no place there."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["clean", "escape", "escape_content", "unescape"]

_REFERENCE: Final = re.compile(rb"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,30})|#x([0-9A-Fa-f]{1,30}));")
_ENTITIES: Final = {b"lt": b"<", b"gt": b">", b"amp": b"&", b"quot": b'"', b"apos": b"'"}

_CONTROL: Final = "\\x00-\\x08\\x0b-\\x1f\\ud800-\\udfff\\ufffe\\uffff"

#: What XML 1.0 has no place for, lone surrogates included, and the carriage return, which it reads as a line feed.
_ILLEGAL: Final = re.compile(f"[{_CONTROL}]")
_MARKUP: Final = re.compile("[&<>\"']")
_SPECIAL: Final = re.compile(f"[&<>\"'{_CONTROL}]")
_CONTENT: Final = re.compile("[&<]|(?<=]])>")
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}

#: A control character becomes U+FFFD rather than a blank, which would hide that something was lost; a number such as
#: &#1; is no XML either, and libindi prints any number as it stands.
_LOST: Final = "\ufffd"


def clean(text: str) -> str:
    """Text without what XML has no place for; what an escaped text says once it has been read."""
    if _ILLEGAL.search(text) is None:
        return text
    return _ILLEGAL.sub(_LOST, text.replace("\r\n", "\n").replace("\r", "\n"))


def escape(text: str) -> str:
    """Text that may stand in an attribute or between tags, and can be encoded in UTF-8."""
    if _SPECIAL.search(text) is None:
        return text
    return _MARKUP.sub(_escaped, clean(text))


def escape_content(text: str) -> str:
    """Text between tags, with no entity that is not needed there.

    libindi's parser, KStars' too, takes an entity for plain letters where it is the first thing in a text, so that
    ``"M 31"`` would be shown as ``&quot;M 31"``.
    """
    if _SPECIAL.search(text) is None:
        return text
    return _CONTENT.sub(_escaped, clean(text))


def unescape(raw: bytes) -> bytes:
    """The bytes that a checked text or attribute stands for."""
    return _REFERENCE.sub(_resolved, raw) if b"&" in raw else raw


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPED[found[0]]


def _resolved(found: re.Match[bytes]) -> bytes:
    entity, decimal, hexadecimal = found.groups()
    if entity is not None:
        return _ENTITIES[entity]
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    return chr(code).encode() if code < 0xD800 or 0xE000 <= code < 0x110000 else _LOST.encode()
