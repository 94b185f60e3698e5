"""BLOBs that come as file descriptors: libindi hands them to local drivers so, instead of base64."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from indiflask.protocol.blobs import encode_base64
from indiflask.protocol.errors import ProtocolError
from indiflask.protocol.frames import Frame
from indiflask.protocol.limits import BLOB_BYTES
from indiflask.protocol.messages import NewVector, OneBlob, OneMember, SetVector
from indiflask.protocol.reader import read
from indiflask.protocol.writer import pack


def inlined(frame: Frame, descriptors: Iterable[int]) -> Frame:
    """The frame with its attached BLOBs as base64. The descriptors are closed. Raises ProtocolError."""
    supply = iter(descriptors)
    try:
        element = read(frame)
        if not isinstance(element, SetVector | NewVector):
            return frame
        return pack(replace(element, members=tuple([_inline(member, supply) for member in element.members])))
    finally:
        close_all(supply)


def close_all(descriptors: Iterable[int]) -> None:
    """Nobody wants what they hold."""
    for descriptor in descriptors:
        os.close(descriptor)


def _inline(member: OneMember | OneBlob, supply: Iterator[int]) -> OneMember | OneBlob:
    if not isinstance(member, OneBlob) or not member.attached:
        return member
    descriptor = next(supply, None)
    if descriptor is None:
        raise ProtocolError(f"{member.name} is said to be attached, and no file descriptor came with it")
    try:
        return replace(member, base64=_content(descriptor, member), attached=False, length=None)
    finally:
        os.close(descriptor)


def _content(descriptor: int, blob: OneBlob) -> bytes:
    """As base64, made of the memory that the driver has written: an image is not copied before."""
    size = blob.size or 0
    if not 0 <= size <= min(BLOB_BYTES, os.fstat(descriptor).st_size):
        raise ProtocolError(f"{blob.name} is said to have {blob.size} bytes, and its descriptor has not")
    if size == 0:
        return b""
    with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as view:
        return encode_base64(view)
