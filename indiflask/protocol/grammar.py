"""The grammar of a frame as expressions over bytes: flat XML as INDI uses it, in linear time.

`whole` is one expression for a whole element of the kind that is sent all the time; what it does not match is either
rare or wrong, and `scanner` tells which. So it need not match all that is well-formed, but must never match
anything that is not. Whatever is repeated here is a single character class, possessively, or a group of which each
round begins with a character that nothing else there begins with: no input makes it try one byte twice. Groups are
never possessive: before 3.11.5 (Debian 12 has 3.11.2) Python goes on behind a round that failed (gh-106052).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

__all__ = [
    "BRACKETS",
    "CONTROLS",
    "MORE_TEXT",
    "MORE_VALUE",
    "NAME",
    "NAME_START",
    "REFERENCE",
    "REFERENCE_BEGUN",
    "TEXT",
    "VALUE",
    "WHITE",
    "is_legal",
    "is_plain",
    "whole",
]

#: What XML 1.0 has no place for: all control characters but tab, line feed and carriage return.
CONTROLS: Final = bytes(sorted(set(range(0x20)) - set(b"\t\n\r")))

_WHITE: Final = rb"[ \t\r\n]"
_NAME: Final = rb"[A-Za-z_][A-Za-z0-9_.-]*+"

#: Runs, possibly empty, that the scanner skips in one go: all of XML's characters but those that end the run. They
#: are written as what they hold, since Python's expressions test a negated set at half the speed.
WHITE: Final = re.compile(_WHITE + rb"*+")
NAME: Final = re.compile(rb"[A-Za-z0-9_.-]*+")
TEXT: Final = re.compile(rb"[\t\n\r -%'-;=-\\^-\xff]*+")  # no & < ]
VALUE: Final = {
    b'"': re.compile(rb"[\t\n\r !#-%'-;=-\xff]*+"),  # no " & <
    b"'": re.compile(rb"[\t\n\r -%(-;=-\xff]*+"),  # no ' & <
}

#: References that are legal without a look at their number: &#32; to &#9999; cover what ElementTree writes.
_LEGAL_REFERENCE: Final = rb"&(?:lt|gt|amp|quot|apos|#(?:3[2-9]|[4-9][0-9]|[1-9][0-9]{2,3}+|9|10|13));"

#: How such runs go on at once after an ampersand or a bracket that is fine. Without them, a text full of either would
#: cost the scanner two steps for each.
MORE_TEXT: Final = re.compile(rb"(?:(?:" + _LEGAL_REFERENCE + rb"|\]++(?=[^\]>]))" + TEXT.pattern + rb")+")
MORE_VALUE: Final = {
    quote: re.compile(rb"(?:" + _LEGAL_REFERENCE + run.pattern + rb")+") for quote, run in VALUE.items()
}  # fmt: skip
BRACKETS: Final = re.compile(rb"\]++")

#: Names are ASCII: INDI has no others, and so a Latin-1 byte in one is found at once. Nor has it namespaces: a colon
#: without its xmlns would end the connection of every client whose parser knows them (ElementTree's does).
NAME_START: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")

#: XML's five entities and the numeric ones; nothing else can be declared, for want of a DOCTYPE.
REFERENCE: Final = re.compile(rb"&(?:(lt|gt|amp|quot|apos)|#([0-9]++)|#x([0-9A-Fa-f]++));")
REFERENCE_BEGUN: Final = re.compile(rb"&(?:[a-z]{0,4}+|#[0-9]*+|#x[0-9A-Fa-f]*+)")

#: A vector's attributes; the first two are kept. Their groups' numbers follow those of the element and its tag.
_ATTRIBUTES: Final = b"device name timestamp state timeout message label group perm rule version uid".split()


def _attributes(run: bytes, quote: bytes) -> bytes:
    """A vector's attributes in any order, each once: ``(?(n)(?!))`` fails where group n has matched already."""
    each = []
    for number, word in enumerate(_ATTRIBUTES, start=3):
        once = word + b"(?(%d)(?!))=" % number
        value = quote + run + quote
        each.append(once + (quote + b"(" + run + b")" + quote if number <= 4 else b"()" + value))
    return b"(?:" + _WHITE + b"++(?:" + b"|".join(each) + b"))*"


def _member_attributes(plain: bytes) -> bytes:
    """A member's attributes in the order of INDI's DTD: groups of a repeated part cannot be asked anew each time."""
    words = b"label format min max step".split()
    rest = b"".join(b"(?:" + _WHITE + b"++" + word + b"=" + plain + b")?" for word in words)
    return _WHITE + b"++name=" + plain + rest


@cache
def whole(quote: bytes, plain: bool) -> re.Pattern[bytes]:
    """One whole element whose attributes stand in ``quote``, white space and ``<?xml ...?>`` before it.

    Groups: 1 the element, 2 its tag, 3 and 4 its ``device`` and ``name`` as they stand. Elements with a BLOB are left
    to the scanner, which skips their text faster than an expression could. ``plain`` is the faster one,
    for bytes only in which `is_plain` has found nothing but tags and text.
    """
    if plain:
        run, text = VALUE[quote].pattern, b"[^<]*+"
    else:
        clean = VALUE[quote].pattern
        run = clean + b"(?:" + _LEGAL_REFERENCE + clean + b")*"
        text = TEXT.pattern + b"(?:(?:" + _LEGAL_REFERENCE + rb"|\](?!\]>))" + TEXT.pattern + b")*"
    tag_end = _WHITE + b"*+"
    child = (
        b"<(?P<child>(?:one|def)(?:Text|Number|Switch|Light)|defBLOB)"
        + _member_attributes(quote + run + quote)
        + tag_end
        + b"(?:/>|>" + text + b"</(?P=child)" + tag_end + b">)"
    )  # fmt: skip
    content = text + b"(?:" + child + text + b")*"
    element = (
        b"(<(" + _NAME + b")" + _attributes(run, quote) + tag_end
        + b"(?:/>|>" + content + rb"</\2" + tag_end + b">))"
    )  # fmt: skip
    before = _WHITE + rb"*+(?:<\?[^?>]*+\?>" + _WHITE + b"*+)?"
    return re.compile(before + element)


#: Up to here one look at each byte is quicker than a search for each of the control characters.
_FEW: Final = 4096


def is_plain(data: bytes) -> bool:
    """Whether there is neither a reference nor a ``]]>`` nor a control character: a few memchr, at memory speed."""
    if b"&" in data or (b"]" in data and b"]]>" in data):
        return False
    if len(data) <= _FEW:
        return len(data.translate(None, CONTROLS)) == len(data)
    return not any(control in data for control in CONTROLS)


def is_legal(decimal: bytes | None, hexadecimal: bytes | None) -> bool:
    """Whether a reference, given as one of its numbers or as neither, means a character of XML 1.0."""
    if decimal is None and hexadecimal is None:
        return True
    code = int(decimal) if decimal is not None else int(hexadecimal or b"0", 16)
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF
