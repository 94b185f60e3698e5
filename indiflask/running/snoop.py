"""Snooping: another device's property as it is now, wherever it is, told to a function of this app."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio

from indiflask.device import Device, Snoop
from indiflask.errors import ProtocolError
from indiflask.property import Property
from indiflask.protocol.messages import (
    BlobMode,
    DefMember,
    DefVector,
    DelProperty,
    Element,
    EnableBlob,
    GetProperties,
    Kind,
    OneBlob,
    OneMember,
    SetVector,
    State,
)
from indiflask.protocol.numbers import NumberError, parse_number
from indiflask.running.check import blob_of
from indiflask.values import Update, Value

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Device and property."""


class Mirror:
    """One snooped property as it was last told, and who waits for news of it."""

    def __init__(self, key: Key) -> None:
        self.update = Update(*key)
        self.seen = False
        """Whether there is something to tell: values, or that it is gone."""
        self.heard_at = -math.inf
        self.news: set[anyio.Event] = set()

    def tell(self, update: Update) -> None:
        """Take over what was heard, and wake who waits. What says nothing new is no news."""
        if self.seen and update == self.update:
            return
        self.update, self.seen = update, True
        waiting, self.news = self.news, set()
        for event in waiting:
            event.set()

    def gone(self) -> None:
        """Tell once that it has disappeared."""
        if self.seen and not self.update.gone:
            self.stale()

    def stale(self) -> None:
        """Nothing came for too long, if ever: it counts as gone."""
        self.tell(replace(self.update, gone=True, message=""))


class Snoops:
    """All that an app snoops. Loop thread only, but ``wants``."""

    def __init__(
        self,
        ask: Callable[[Element], None],
        owns: Callable[[str], bool],
        current: Callable[[Key], DefVector | None],
        time: Callable[[], float],
    ) -> None:
        self._ask = ask
        self._time = time
        self._owns = owns
        """Whether a device is this app's."""
        self._current = current
        """The definition of a property of this app, if it is visible."""
        self._mirrors: dict[Key, Mirror] = {}
        self._users: dict[Key, int] = {}

    def wants(self, element: Element) -> bool:
        """Whether it is about something snooped. From any thread."""
        if not self._mirrors or not isinstance(element, DefVector | SetVector | DelProperty):
            return False
        return any(element.device == device for device, _ in tuple(self._mirrors))

    @contextmanager
    def watch(self, key: Key) -> Iterator[Mirror]:
        """The mirror of a property, kept up as long as somebody watches."""
        mirror = self._mirrors.setdefault(key, Mirror(key))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            self.ask_for(key)
            yield mirror
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._mirrors[key]

    def ask_for(self, key: Key) -> None:
        """Have its definition sent: by this app itself, or by whoever has the device."""
        if not self._owns(key[0]):
            self._ask(GetProperties(*key))
        elif (own := self._current(key)) is not None:
            self.heard(own)

    def heard(self, element: Element) -> None:
        """Something was said about a device, by another driver or by this app."""
        match element:
            case DefVector() | SetVector():
                mirror = self._mirrors.get((element.device, element.name))
                if mirror is not None:
                    self._told(mirror, element)
            case DelProperty():
                for (device, name), mirror in list(self._mirrors.items()):
                    if device == element.device and element.name in (None, "", name):
                        mirror.gone()

    def _told(self, mirror: Mirror, vector: DefVector | SetVector) -> None:
        if isinstance(vector, DefVector) and vector.kind is Kind.BLOB:
            self._ask(EnableBlob(device=vector.device, name=vector.name, mode=BlobMode.ALSO))
        values: dict[str, Value] = {} if isinstance(vector, DefVector) else dict(mirror.update.values)
        for member in vector.members:
            try:
                values[member.name] = _value(vector.kind, member)
            except (ProtocolError, NumberError, ValueError) as error:
                log.warning("%s.%s.%s: %s", vector.device, vector.name, member.name, error)
        mirror.heard_at = self._time()
        state = vector.state or mirror.update.state
        mirror.tell(Update(vector.device, vector.name, state, values, False, vector.message or ""))


def _value(kind: Kind, member: DefMember | OneMember | OneBlob) -> Value:
    if isinstance(member, OneBlob):
        return blob_of(member)
    text = member.value
    match kind:
        case Kind.NUMBER:
            return parse_number(text)
        case Kind.SWITCH:
            return text == "On"
        case Kind.LIGHT:
            return State(text)
        case Kind.BLOB:
            return None
        case Kind.TEXT:
            return text


async def keep_snooping(runner: DeviceRunner, snoop: Snoop) -> None:
    """Call the function with what is known now and at each change; the latest wins while it runs."""
    if isinstance(snoop.device, Property):
        await _follow(runner, snoop, snoop.device)
    else:
        name = snoop.device.name if isinstance(snoop.device, Device) else snoop.device
        await _watch(runner, snoop, (runner.engine.wire_name(name), snoop.name))


async def _follow(runner: DeviceRunner, snoop: Snoop, named_by: Property[Any, str]) -> None:
    """The device is a text property's value: when that changes, the one that it names now."""
    member = snoop.member or named_by.definition.names[0]
    with runner.engine.snoops.watch(runner.engine.key_of(named_by)) as mirror:
        while True:
            changed = anyio.Event()
            mirror.news.add(changed)
            device = named_by[member]
            async with anyio.create_task_group() as tasks:
                if device:
                    tasks.start_soon(_watch, runner, snoop, (device, snoop.name))
                while named_by[member] == device:
                    await changed.wait()
                    mirror.news.add(changed := anyio.Event())
                tasks.cancel_scope.cancel()


async def _watch(runner: DeviceRunner, snoop: Snoop, key: Key) -> None:
    snoops = runner.engine.snoops
    what = f"snoop of {key[0]}.{key[1]}"
    started = asked_at = anyio.current_time()
    with snoops.watch(key) as mirror:
        told: Update | None = None
        while True:
            if mirror.seen and mirror.update is not told:
                told = mirror.update
                await runner.guarded(snoop.function, what, (told,))
                continue
            stale_at = math.inf
            if snoop.stale and not mirror.update.gone:
                stale_at = max(mirror.heard_at, started) + snoop.stale
            ask_at = max(mirror.heard_at, asked_at) + (snoop.timeout or math.inf)
            heard_at = mirror.heard_at
            if await _news(mirror, min(stale_at, ask_at)) or mirror.heard_at != heard_at:
                continue  # also when the same was said once more: it is not stale then
            if anyio.current_time() >= stale_at:
                mirror.stale()
            else:
                asked_at = anyio.current_time()
                snoops.ask_for(key)


async def _news(mirror: Mirror, until: float) -> bool:
    """Wait for something new, at most until then; whether it came."""
    event = anyio.Event()
    mirror.news.add(event)
    with anyio.move_on_after(max(0, until - anyio.current_time())):
        await event.wait()
    mirror.news.discard(event)
    return event.is_set()
