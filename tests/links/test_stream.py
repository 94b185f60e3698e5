"""What a socket may say when its network is gone."""

from typing import Any

import pytest

from indiflask.links.stream import Stream

pytestmark = pytest.mark.anyio


class Gone:
    def __init__(self, error: OSError) -> None:
        self.error = error

    def setblocking(self, blocking: bool) -> None: ...

    def recv(self, size: int) -> bytes:
        raise self.error


@pytest.mark.parametrize("error", [TimeoutError(110, "timed out"), OSError(113, "no route"), ConnectionResetError()])
async def test_a_network_that_is_gone_is_the_end(error: OSError) -> None:
    sock: Any = Gone(error)
    stream = Stream(sock)
    assert stream._receive() == b""
    assert stream.reset
