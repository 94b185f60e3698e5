"""What handlers take and give: ``Blob``, ``Reply``, ``Update``, and what ``Annotated[...]`` says of a member."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Generic, Protocol, TypeVar, overload

from indiflask.protocol.blobs import compress, encode_base64
from indiflask.protocol.messages import State

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Blob", "Member", "Number", "Reply", "State", "Update", "Value", "Values"]

T = TypeVar("T")


class _Array(Protocol):
    """numpy's arrays, whose types know no buffer before Python 3.12."""

    def tobytes(self) -> bytes: ...


class Blob:
    """A picture, a table, any file that travels as one value.

    ``data`` may be bytes, anything with a buffer (a numpy array is sent as its bytes in C order), a
    ``pathlib.Path`` or a file open for reading, which is read at once. ``format`` is INDI's word for a file's
    suffix (``".fits"``); it comes from the path where there is one, else it is ``".bin"``. With ``compress=True``
    the data travels as zlib and the format ends in ``.z``. What a client uploads compressed arrives inflated.
    """

    def __init__(
        self, data: Buffer | _Array | os.PathLike[str] | BinaryIO, format: str = "", *, compress: bool = False
    ) -> None:
        self.data: Final = _bytes_of(data)
        self.format: Final = format or _suffixes_of(data) or ".bin"
        self.compress: Final = compress

    @property
    def size(self) -> int:
        """Bytes of data, before base64 and before compression."""
        return len(self.data)

    @property
    def wire_format(self) -> str:
        """The format as it is announced: with ``.z`` where the data travels compressed."""
        return self.format + ".z" if self.compress else self.format

    @cached_property
    def wire_base64(self) -> bytes:
        """The data as it travels. Made once, however many clients get it."""
        return encode_base64(compress(self.data) if self.compress else self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blob) and (self.format, self.data) == (other.format, other.data)

    def __hash__(self) -> int:
        return hash((self.format, self.data))

    def __repr__(self) -> str:
        return f"<Blob {self.format} {self.size} bytes>"


def _bytes_of(data: Buffer | _Array | os.PathLike[str] | BinaryIO) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, os.PathLike):
        return Path(data).read_bytes()
    if isinstance(data, str):
        raise TypeError("a Blob is made of bytes, a buffer, a pathlib.Path or an open file, not of a str")
    if hasattr(data, "read"):
        content = data.read()
        if not isinstance(content, bytes):
            raise TypeError(f"a file for a Blob must be open in binary mode; read() gave {type(content).__name__}")
        return content
    return data.tobytes() if hasattr(data, "tobytes") else memoryview(data).tobytes()


def _suffixes_of(data: object) -> str:
    name = os.fspath(data) if isinstance(data, os.PathLike) else getattr(data, "name", "")
    suffixes = Path(name).suffixes if isinstance(name, str) else []
    packed = suffixes[-1:] and suffixes[-1] in (".z", ".gz", ".fz", ".bz2")
    return "".join(suffixes[-2:] if packed else suffixes[-1:])


Value = float | str | bool | State | Blob | None
"""One member's value: number, text, switch, light, BLOB; None is a BLOB that nobody has sent yet."""

Values = Mapping[str, Value]
"""Member names to values."""


class _Unset:
    """Stands for "no value given", since None is a value: no choice of an AtMostOne switch."""

    def __repr__(self) -> str:
        return "<unset>"


UNSET: Final = _Unset()


class Reply(Generic[T]):
    """A value together with a state and a message, where the state that follows by itself is not what is meant.

    Returned, yielded, returned by a readback, or published: ``Reply(Sky(1, 2), State.IDLE)``,
    ``Reply(state=State.ALERT, message="stuck")``. ``Reply(None)`` is the value None: no choice of an AtMostOne
    switch.
    """

    __slots__ = ("message", "state", "value")

    @overload
    def __init__(self: Reply[Any], *, state: State | None = None, message: str = "") -> None: ...
    @overload
    def __init__(self, value: T, state: State | None = None, message: str = "") -> None: ...
    def __init__(self, value: Any = UNSET, state: State | None = None, message: str = "") -> None:
        if not isinstance(state, State | None):
            raise TypeError(f"Reply(state=...) is a State, not {state!r}")
        if not isinstance(message, str):
            raise TypeError(f"Reply(message=...) is a str, not {message!r}")
        self.value: Any = value
        self.state = state
        self.message = message

    @property
    def has_value(self) -> bool:
        """Whether a value was given at all."""
        return self.value is not UNSET

    def __repr__(self) -> str:
        return f"Reply({self.value!r}, {self.state!r}, {self.message!r})"


@dataclass(frozen=True, slots=True)
class Member:
    """A member's name and label: ``Annotated[bool, Member("POWER_CHANNEL_1", label="Telescope")]``.

    Without a name the parameter's or field's own is taken; without a label the name. ``unit`` is shown in
    brackets behind the label, since INDI has no other place for it.
    """

    name: str = ""
    label: str = field(default="", kw_only=True)
    unit: str = field(default="", kw_only=True)

    @property
    def label_text(self) -> str:
        """The label as clients show it."""
        label = self.label or self.name
        return f"{label} [{self.unit}]" if self.unit else label


@dataclass(frozen=True, slots=True)
class Number(Member):
    """A number member's limits: ``Annotated[float, Number("RA", min=0, max=24, format="%010.6m")]``.

    ``min`` and ``max`` are inclusive; equal means no limits. ``step`` is a hint for user interfaces and never a
    reason to refuse. ``format`` is printf's, or INDI's ``%<w>.<f>m`` for sexagesimal; it is for showing only.
    """

    min: float = field(default=0, kw_only=True)
    max: float = field(default=0, kw_only=True)
    step: float = field(default=0, kw_only=True)
    format: str = field(default="%g", kw_only=True)

    @property
    def limited(self) -> bool:
        """Whether there are limits at all: INDI says so by ``min < max``."""
        return self.min < self.max

    def allows(self, value: float) -> bool:
        """Whether a value is within the limits."""
        return not self.limited or self.min <= value <= self.max

    @property
    def nearest_to_zero(self) -> float:
        """0, or the limit nearest to it: the first value where none is given."""
        return max(self.min, min(self.max, 0)) if self.limited else 0


@dataclass(frozen=True, slots=True)
class Update:
    """What a snoop handler is told: another device's property as it is now.

    ``gone`` is true when the property, its device or the link to it has disappeared, or nothing came for
    ``stale=`` seconds; the last known values are kept. ``update["MEMBER"]`` is a member's value: float, bool, str,
    State or Blob. ``message`` is the one that came with this change.
    """

    device: str
    name: str
    state: State = State.IDLE
    values: Values = field(default_factory=dict)
    gone: bool = False
    message: str = ""

    def __getitem__(self, member: str) -> Any:
        try:
            return self.values[member]
        except KeyError:
            known = ", ".join(self.values) or "none yet"
            raise KeyError(f"{self.device}.{self.name} has no member {member!r}; it has: {known}") from None

    def __contains__(self, member: object) -> bool:
        return member in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)
