"""``Connection``: what ``@device.connection`` makes of a generator; CONNECT opens it, DISCONNECT closes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from indiflask.errors import NotConnected
from indiflask.values import UNSET

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """``lost`` are the exceptions that mean the hardware is gone; ``auto`` connects at the start, again and again."""

    lost: tuple[type[BaseException], ...] = ()
    auto: bool = False


class Connection(Generic[T]):
    """The hardware that a device holds while it is connected: ``hardware.value`` is what the generator yielded."""

    def __init__(self, function: Callable[[], Any] | None, options: ConnectionOptions, device: str) -> None:
        self.function = function
        self.options = options
        self._device = device
        self._value: Any = UNSET

    @property
    def value(self) -> T:
        """What was yielded. Raises NotConnected, which answers a client by itself, while there is nothing."""
        if self._value is UNSET:
            raise NotConnected(f"{self._device} is not connected")
        return cast(T, self._value)

    def opened(self, value: T) -> None:
        """The running app has opened the hardware."""
        self._value = value

    def closed(self) -> None:
        """The running app has closed it, or is about to."""
        self._value = UNSET


class Connector(Protocol):
    """The decorator that ``device.connection(...)`` gives."""

    @overload
    def __call__(self, function: Callable[[], AsyncIterator[T]], /) -> Connection[T]: ...
    @overload
    def __call__(self, function: Callable[[], Iterator[T]], /) -> Connection[T]: ...
