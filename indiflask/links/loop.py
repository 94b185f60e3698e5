"""``Loop``: calls into the event loop from any thread, on either of anyio's backends."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from anyio.lowlevel import current_token

if TYPE_CHECKING:
    import asyncio

Soon = Callable[[Callable[[], None]], object]
"""Has the loop call something at its next turn."""


class Waiter(Protocol):
    """One task waits once for what is set once, on the loop."""

    def wait(self) -> Awaitable[object]:
        """Await it to go on once it is set."""

    def set(self) -> object:
        """Let the one who waits go on."""


class _FutureWaiter:
    """asyncio's: a bare future costs a third of what its Event does."""

    __slots__ = ("_future",)

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future

    def wait(self) -> Awaitable[None]:
        return self._future

    def set(self) -> None:
        if not self._future.done():  # the one who waited has been cancelled
            self._future.set_result(None)


class Loop:
    """The event loop that made it. Many calls from a thread wake it once."""

    def __init__(self, wake: Soon, soon: Soon, time: Callable[[], float], waiter: Callable[[], Waiter]) -> None:
        self._wake = wake
        self._soon = soon
        self.time = time
        """The loop's clock, in seconds. Unlike anyio's it can be read in a callback too."""
        self.waiter = waiter
        self._thread = threading.get_ident()
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._woken = False

    @classmethod
    def current(cls) -> Loop:
        """The running event loop's."""
        native: Any = current_token().native_token
        if hasattr(native, "call_soon_threadsafe"):
            wake, soon, time = native.call_soon_threadsafe, native.call_soon, native.time
            return cls(wake, soon, time, lambda: _FutureWaiter(native.create_future()))
        import trio

        return cls(native.run_sync_soon, native.run_sync_soon, trio.current_time, trio.Event)

    @property
    def inside(self) -> bool:
        """Whether the caller is in the loop's thread."""
        return threading.get_ident() == self._thread

    def call(self, function: Callable[..., None], *args: Any) -> bool:
        """Call it on the loop, in the order of the calls. From any thread; False if the loop has ended."""
        self._calls.append((function, args))
        if self._woken:
            return True
        self._woken = True
        try:
            self._wake(self._run)
        except RuntimeError:  # asyncio says so of a closed loop; trio's RunFinishedError is one too
            self._woken = False
            return False
        return True

    def soon(self, function: Callable[[], None]) -> None:
        """Call it at the loop's next turn. In the loop's thread."""
        self._soon(function)

    def _run(self) -> None:
        self._woken = False
        try:
            while self._calls:
                function, args = self._calls.popleft()
                function(*args)
        finally:
            if self._calls:  # one that raised does not hold up the others
                self._wake(self._run)
