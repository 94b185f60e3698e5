"""``Driver``: any INDI driver, in whatever language, in a process of its own: libindi's first of all.

It speaks on stdin and stdout, which are one unix socket, as libindi's server gives it: drivers since libindi 1.9.7
hand BLOBs over by file descriptors then (INDI.md, trap 2 and the duties of a server).
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence

import anyio
from anyio.abc import ByteReceiveStream, Process

from indiflask.hub import Hub
from indiflask.links.attached import close_all, inlined
from indiflask.links.duplex import Duplex
from indiflask.links.supervised import CANNOT_START, Patience, Supervised
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import GetProperties
from indiflask.protocol.writer import pack

log = logging.getLogger(__name__)

QUIET_SECONDS = 0.3
"""A driver does not tell when it has defined all; this long after the first definition is taken for it."""


class Driver(Supervised):
    """Its devices are deleted when its process ends, as clients know it of INDI servers."""

    _attaches = True

    def __init__(
        self,
        hub: Hub,
        name: str,
        command: Sequence[str],
        patience: Patience,
        *,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._env = env or {}
        self._first = anyio.Event()
        """Set with its first definition."""
        super().__init__(hub, name, patience)

    async def _start(self, theirs: socket.socket) -> tuple[Process, ByteReceiveStream | None]:
        self._first = anyio.Event()
        process = await anyio.open_process(
            list(self._command),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, who end it in good order
            env={**os.environ, **self._env},
        )
        return process, process.stderr

    def _greet(self, link: Duplex) -> None:
        link.send([pack(GetProperties())])

    async def _limit_start(self, process: Process) -> None:  # noqa: ARG002 - it may take what time it likes
        with anyio.move_on_after(self._patience.start):
            await self._first.wait()
            await anyio.sleep(QUIET_SECONDS)
        self._has_defined()

    def _ended(self, why: str) -> None:  # noqa: ARG002 - that is told in words
        self._hub.drop(self._peer)

    def _is_hopeless(self, code: int) -> bool:
        return code == CANNOT_START and self._process is None

    def _take(self, frames: list[Frame]) -> None:
        if any(frame.attached for frame in frames):
            frames = [whole for frame in frames if (whole := self._whole(frame)) is not None]
        self._hub.receive(self._peer, frames)
        if not self._first.is_set() and any(frame.tag.startswith(b"def") for frame in frames):
            self._first.set()

    def _whole(self, frame: Frame) -> Frame | None:
        """The frame with what was attached to it, as base64; None if nobody wants that."""
        if not frame.attached:
            return frame
        if not self._hub.wants_blob(frame):
            close_all(frame.fds)
            return None
        try:
            return inlined(frame, frame.fds)
        except ProtocolError as error:
            log.warning("%s: <%s> is left out: %s", self.name, frame.tag.decode(), error.why)
            self.tell(f"{self.name}: a BLOB of {frame.device.decode()} is left out: {error.why}")
            return None
