"""What the protocol's tests share: captured traffic, hypothesis strategies, and expat as a second opinion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.parsers import expat

from hypothesis import strategies as st

from indiflask.protocol import (
    BlobMode,
    DefMember,
    DefNumber,
    DefVector,
    DelProperty,
    Element,
    EnableBlob,
    Frame,
    Framer,
    GetProperties,
    Kind,
    Limits,
    Message,
    NewVector,
    OneBlob,
    OneMember,
    OneNumber,
    Permission,
    PingReply,
    PingRequest,
    ProtocolError,
    Rule,
    SetVector,
    State,
    encode_base64,
)

FOLDER = Path(__file__).parents[1] / "captures"
CAPTURES = sorted(FOLDER.rglob("*.xml"))

VECTOR = (
    b'<setNumberVector device="Telescope Simulator" name="EQUATORIAL_EOD_COORD" state="Busy" timeout="60" '
    b'timestamp="2026-11-23T13:44:05.123"><oneNumber name="RA">3.1234567890</oneNumber>'
    b'<oneNumber name="DEC">45.1234567891</oneNumber></setNumberVector>\n'
)


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def framed(pieces: Iterable[bytes], limits: Limits | None = None) -> tuple[list[Frame], ProtocolError | None]:
    """All frames of a whole stream, and what was wrong with it."""
    framer = Framer(limits)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    framer.close()
    return frames, framer.error


def wrong(data: bytes, limits: Limits | None = None) -> tuple[str, int]:
    """Why and where a stream is wrong, the same whole and byte by byte."""
    whole = _outcome([data], limits)
    assert whole == _outcome((data[at : at + 1] for at in range(len(data))), limits)
    assert whole[1] is not None
    return whole[1]


def _outcome(pieces: Iterable[bytes], limits: Limits | None) -> tuple[list[Frame], tuple[str, int] | None]:
    frames, error = framed(pieces, limits)
    return frames, None if error is None else (error.why, error.at)


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The bytes in pieces, cut at these places."""
    places = [0, *sorted(cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def accepted_by_expat(data: bytes) -> bool:
    """Also with namespaces, as ElementTree and so indipyclient read."""
    try:
        expat.ParserCreate().Parse(data, True)
        expat.ParserCreate(namespace_separator="}").Parse(data, True)
    except expat.ExpatError:
        return False
    return True


characters = st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32))) + "\ufffe\uffff")
texts = st.text(characters | st.sampled_from("\n\t&<>\"']]>é😀"), max_size=12)
values = texts.map(lambda text: text.strip(" \t\n"))
names = st.text(st.sampled_from("ABC_é &'<>\"x"), min_size=1, max_size=8)
times = st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1))  # noqa: DTZ001
floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)
seconds = st.none() | st.floats(0, 1e6)
maybe_text = st.none() | texts
kinds = st.sampled_from(Kind)


def one_number(name: str, value: str, low: float | None, high: float | None, step: float | None) -> OneMember:
    limits = low is not None or high is not None or step is not None
    return OneNumber(name, value, low, high, step) if limits else OneMember(name, value)


one_blobs = st.builds(
    OneBlob,
    name=names,
    size=st.none() | st.integers(0, 10**12),
    format=texts,
    base64=st.binary(max_size=40).map(encode_base64),
    attached=st.booleans(),
    length=st.none() | st.integers(0, 10**12),
    enclen=st.none() | st.integers(0, 10**12),
)
one_numbers = st.builds(one_number, names, values, *[st.none() | floats] * 3)
one_members = st.builds(OneMember, names, values)
def_numbers = st.builds(DefNumber, names, maybe_text, values, texts, floats, floats, floats)


@st.composite
def vectors(draw: st.DrawFn) -> Element:
    kind = draw(kinds)
    what = draw(st.sampled_from([DefVector, SetVector, NewVector]))
    if what is DefVector:
        return draw(definitions(kind))
    one: st.SearchStrategy[OneMember | OneBlob] = one_members
    if kind in {Kind.BLOB, Kind.NUMBER}:
        one = one_blobs if kind is Kind.BLOB else one_numbers
    members = tuple(draw(st.lists(one, max_size=4)))
    device, name, timestamp = draw(names), draw(names), draw(times)
    if what is NewVector and kind is not Kind.LIGHT:
        return NewVector(kind, device, name, timestamp, members)
    state = draw(st.none() | st.sampled_from(State))
    return SetVector(kind, device, name, state, draw(seconds), timestamp, draw(maybe_text), members)


def definitions(kind: Kind) -> st.SearchStrategy[DefVector]:
    value = st.just("") if kind is Kind.BLOB else values
    member = def_numbers if kind is Kind.NUMBER else st.builds(DefMember, names, maybe_text, value)
    return st.builds(
        DefVector,
        kind=st.just(kind),
        device=names,
        name=names,
        label=maybe_text,
        group=maybe_text,
        state=st.sampled_from(State),
        permission=st.none() if kind is Kind.LIGHT else st.sampled_from(Permission),
        rule=st.sampled_from(Rule) if kind is Kind.SWITCH else st.none(),
        timeout=seconds,
        timestamp=times,
        message=maybe_text,
        members=st.lists(member, max_size=4).map(tuple),
    )


maybe_name = st.none() | names
elements: st.SearchStrategy[Element] = st.one_of(
    vectors(),
    st.builds(GetProperties, maybe_name, maybe_name, maybe_text),
    st.builds(EnableBlob, names, maybe_name, st.sampled_from(BlobMode)),
    st.builds(Message, texts, maybe_name, times),
    st.builds(DelProperty, names, maybe_name, times, maybe_text),
    st.builds(PingRequest, texts),
    st.builds(PingReply, texts),
)

blanks = st.sampled_from(["", " ", "\n", "\t \r\n"])
contents = st.lists(
    st.sampled_from(
        ["x", "é", "]", "]]", ">", "'", '"', "&amp;", "&lt;", "&#65;", "&#x1F600;", " ", "\n", "-", "12:30"]
    ),
    max_size=6,
).map(lambda parts: "".join(parts).replace("]]>", ""))


@st.composite
def tags(draw: st.DrawFn, tag: str, words: list[str]) -> str:
    """A start tag up to before its end, in every way that XML allows to write it."""
    parts = ["<", tag]
    for word in draw(st.lists(st.sampled_from(words), unique=True, max_size=len(words))):
        quote = draw(st.sampled_from("\"'"))
        value = draw(contents).replace(quote, "")
        before, around = draw(st.sampled_from([" ", "\n  ", "\t"])), draw(st.sampled_from(["", "", " "]))
        parts += [before, word, around, "=", around, quote, value, quote]
    return "".join([*parts, draw(blanks)])


@st.composite
def flat_xml(draw: st.DrawFn) -> bytes:
    """Well-formed flat elements, as strangely written as XML allows."""
    tag = draw(st.sampled_from(["setTextVector", "newBLOBVector", "message", "x", "a_b.c-d"]))
    start = draw(tags(tag, ["device", "name", "state", "message", "other"]))
    if draw(st.booleans()):
        return (start + "/>").encode()
    parts = [start, ">", draw(contents)]
    for child in draw(st.lists(st.sampled_from(["oneText", "defNumber", "oneBLOB", "y"]), max_size=3)):
        one = draw(tags(child, ["name", "label", "attached", "size"]))
        text = "QUJD\nRA==" if child == "oneBLOB" else draw(contents)
        end = draw(blanks)
        parts += [one, "/>" if draw(st.booleans()) else f">{text}</{child}{end}>", draw(contents)]
    return "".join([*parts, "</", tag, draw(blanks), ">"]).encode()


fragments = st.sampled_from(
    [
        "<",
        ">",
        "/",
        "=",
        '"',
        "'",
        "&",
        ";",
        "!",
        "?",
        "-",
        "[",
        "]",
        "a",
        "x",
        "device",
        "name",
        "one",
        "def",
        "Text",
        "BLOB",
        "Vector",
        "set",
        "new",
        "\n",
        "\t",
        "&amp;",
        "&lt;",
        "&#65;",
        "&#x0;",
        "&#xFFFE;",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<oneText",
        "</oneText>",
        "<oneBLOB>",
        "</oneBLOB>",
        "<setTextVector",
        "</setTextVector>",
        "<setBLOBVector>",
        "]]>",
        "name='a'",
        'name="b"',
        "device='d'",
        "attached='true'",
        "é",
        "\x00",
        "\x7f",
        "<a>",
        "</a>",
        "<a/>",
        "<![CDATA[",
        "x:y",
        "xmlns=''",
        "xmlns='http://www.w3.org/2000/xmlns/'",
        "<!DOCTYPE",
    ]
).map(str.encode) | st.binary(max_size=3)
soup = st.lists(fragments, max_size=30).map(b"".join)
