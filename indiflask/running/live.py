"""``Live``: one property while the app runs. Its values, state and frames change here and nowhere else.

Publishing may come from any thread: values, state and the frame that tells them change together under the device's
lock, so that what a device publishes leaves in that order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from indiflask.definition import Definition
from indiflask.errors import IndiError
from indiflask.links.signals import Bell
from indiflask.property import Property
from indiflask.protocol.messages import (
    DefMember,
    DefNumber,
    DefVector,
    DelProperty,
    Kind,
    NewVector,
    OneBlob,
    OneMember,
    SetVector,
)
from indiflask.protocol.numbers import number_text
from indiflask.running.calls import Callee
from indiflask.running.check import check_values, check_wire
from indiflask.running.failures import shown
from indiflask.running.pending import Pending
from indiflask.values import Blob, Member, Number, State, Value, Values

if TYPE_CHECKING:
    from indiflask.running.device import DeviceRunner
    from indiflask.running.handler import Run
    from indiflask.running.place import Place


class Request:
    """What somebody asks of a property: a client's vector, or values from the app itself."""

    __slots__ = ("given", "live", "pending", "restoring")

    def __init__(
        self, live: Live, given: NewVector | Values, pending: Pending | None = None, *, restoring: bool = False
    ) -> None:
        self.live = live
        self.given = given
        self.pending = pending
        """Whoever awaits its end: nobody where a client asks."""
        self.restoring = restoring
        """Given again at connect: before the device counts as connected, and not to be saved once more."""

    def finish(self, error: Exception) -> None:
        """It never starts."""
        if self.pending is not None:
            self.pending.finish(error)

    def check(self) -> dict[str, Value]:
        """All values asked for. Raises Reject."""
        definition, current = self.live.prop.definition, self.live.prop.values
        if isinstance(self.given, NewVector):
            values = check_wire(definition, current, self.given)
        else:
            values = check_values(definition, current, self.given)
        return self.live.prop.declaration.shape.asked(values)


class Live:
    """A property's runtime side, its ``Host``."""

    def __init__(self, prop: Property[Any, Any], device: DeviceRunner, place: Place) -> None:
        self.prop = prop
        self.device = device
        self.place = place
        self.urgent = bool(prop.declaration.conduct.cancels) or prop.definition.name == "CONNECTION"
        """Whether its requests may have to overtake others."""
        self.handler = Callee(prop.declaration.function or _no_function)
        """Its handler or source."""
        self.reader = Callee(prop.readback.function) if prop.readback else self.handler
        """The readback, or the source itself."""
        self.visible = False
        """Whether clients have the definition."""
        self.run: Run | None = None
        self.asked: Values | None = None
        """What the request under way asks for: Busy shows it for switches (Ekos reads parking from them)."""
        self.changes = 0
        """Counts starts and ends of handlers: a readback that spans one is out of date."""
        self.wake = Bell(device.engine.loop)
        self.refresh_wanted = False
        self.read_failure = ""

    @property
    def name(self) -> str:
        return self.prop.definition.name

    @property
    def path(self) -> str:
        """``Device.PROPERTY`` as clients know it."""
        return f"{self.device.name}.{self.name}"

    @property
    def readable(self) -> bool:
        """Whether there is something to read: a readback, or a source."""
        declaration = self.prop.declaration
        return self.prop.readback is not None or (declaration.function is not None and not declaration.handles)

    @property
    def busy(self) -> bool:
        """Whether a handler runs, or waits for its place."""
        return self.run is not None or self.place.awaited_by(self)

    # --- Host: from any thread ---

    def publish(self, values: Values, state: State | None, message: str) -> None:
        for value in values.values():
            if isinstance(value, Blob):
                _ = value.wire_base64  # encoded here, outside the lock
        with self.device.lock:
            keeps_busy = self.run is not None or self.prop.state is State.BUSY
            self._tell(values)
            self._show(values, state or (State.BUSY if keeps_busy else State.OK), message, values.keys())

    def request(self, values: Values) -> Awaitable[None]:
        if not self.device.serving:
            raise IndiError(f"request of {self.path}: the app is not running")
        pending = Pending(f"request of {self.path}", self.place)
        if pending.origin is not None and pending.origin.live.device is self.device:
            self.device.loop_call(pending.origin.go_busy)  # it waits for what waits behind it
        self.device.loop_call(self.device.enqueue, Request(self, values, pending))
        return pending

    def cancel(self) -> Awaitable[None]:
        pending = Pending(f"cancel of {self.path}", self.place)
        self.device.loop_call(self.device.cancel, [self], pending)
        return pending

    def refresh(self) -> None:
        self.device.loop_call(self._refresh)

    def _refresh(self) -> None:
        self.refresh_wanted = True
        self.wake.ring()

    def redefine(self, definition: Definition) -> None:
        with self.device.lock:
            self.undefine()  # KStars drops a second definition of what it knows
            self.prop.redefined(definition)
            if self.asked is not None:  # members may have come and gone
                self.asked = {name: self.asked.get(name, value) for name, value in self.prop.values.items()}
            if self.device.shows(self):
                self.define()

    def delete(self) -> None:
        with self.device.lock:
            self.undefine()

    # --- what handlers and readbacks say ---

    def begin(self, run: Run) -> None:
        """A handler starts. Clients hear of it when it goes Busy."""
        with self.device.lock:
            self.run = run
            self.changes += 1
            self.asked = run.asked
            self.prop.state = State.BUSY
        self.wake.ring()

    def show_busy(self, asked: Values) -> None:
        """Tell that a request is under way."""
        with self.device.lock:
            self.asked = asked
            self._show({}, State.BUSY, "")

    def progress(self, values: Values, state: State, message: str) -> None:
        """A handler yielded."""
        with self.device.lock:
            self._tell(values)
            self._show(values, state, message, values.keys())

    def end(self, values: Values, state: State, message: str) -> None:
        """A handler's end is the answer."""
        with self.device.lock:
            uploaded = self.run is not None and values is self.run.asked
            self.run = None
            self.asked = None
            self.changes += 1
            # a client's own upload is not sent back to everybody; a BLOB that was returned is news
            self._show(values, state, message, () if uploaded else values.keys())
        self.wake.ring()

    def end_silently(self, run: Run) -> None:
        """A run ended and somebody else answers, or nobody is there to hear it."""
        with self.device.lock:
            if self.run is run:
                self.run = None
                self.asked = None
                self.changes += 1

    def answer_connected(self, values: Values) -> None:
        """CONNECTION's Ok, which comes before all that it brings."""
        if self.run is not None:
            self.run.has_answered()
        with self.device.lock:
            self._show(values, State.OK, "")

    def refuse(self, why: str) -> None:
        """A request was wrong: Alert, or Busy while a right one runs, and the true values again."""
        with self.device.lock:
            self._show({}, self.prop.state if self.busy else State.ALERT, why)

    def learnt(self, values: Values, state: State | None, message: str) -> None:
        """A readback's or a source's news."""
        with self.device.lock:
            self._show(values, State.BUSY if self.busy else state or State.OK, message, values.keys())

    # --- frames ---

    def define(self) -> None:
        """Give clients the definition."""
        with self.device.lock:
            self.visible = True
            self.device.emit(self.definition())

    def define_again(self) -> None:
        """Give it to whoever asks, in order with what is published."""
        with self.device.lock:
            if self.visible:
                self.device.emit(self.definition())

    def undefine(self) -> None:
        """Take it from them."""
        with self.device.lock:
            if self.visible:
                self.visible = False
                self.device.emit(DelProperty(device=self.device.name, name=self.name, timestamp=datetime.now(UTC)))

    def definition(self) -> DefVector:
        """The definition with the values as they are now."""
        with self.device.lock:
            definition, values = self.prop.definition, self._shown()
        return DefVector(
            kind=definition.kind,
            device=self.device.name,
            name=definition.name,
            label=definition.label,
            group=definition.group,
            state=self.prop.state,
            permission=None if definition.kind is Kind.LIGHT else definition.permission,
            rule=definition.rule,
            timeout=definition.timeout,
            timestamp=datetime.now(UTC),
            message=None,
            members=tuple(_defined(member, values[member.name]) for member in definition.members),
        )

    def _tell(self, values: Values) -> None:
        """What is said outright while a request runs is shown, and not what that asks for."""
        if self.asked is not None:
            self.asked = {**self.asked, **values}

    def _show(self, values: Values, state: State, message: str, named: Collection[str] = ()) -> None:
        """Take over values and state, and tell clients. ``named`` are the members to tell, where not all."""
        there = self.prop.values
        if values.keys() == there.keys():
            self.prop.values = values
        elif values:  # a member may have gone since they were asked for
            self.prop.values = {**there, **{name: value for name, value in values.items() if name in there}}
        self.prop.state = state
        definition = self.prop.definition
        if definition.kind is Kind.BLOB:
            if not named and state is State.BUSY:
                return  # an empty BLOB vector while Busy stops PHD2's looping
        elif not named or definition.one_choice:
            named = definition.names
        if self.visible:
            self.device.emit(self._set(named, message))

    def _set(self, named: Collection[str], message: str) -> SetVector:
        definition, values = self.prop.definition, self._shown()
        members = [_one(name, values[name]) for name in definition.names if name in named]
        if definition.one_choice:
            members.sort(key=lambda one: bool(values[one.name]))  # Off before On, or a client sees two On
        return SetVector(
            kind=definition.kind,
            device=self.device.name,
            name=definition.name,
            state=self.prop.state,
            timeout=definition.timeout or None,
            timestamp=datetime.now(UTC),
            message=shown(message) or None,
            members=tuple(members),
        )

    def _shown(self) -> Values:
        if self.asked is not None and self.prop.definition.kind is Kind.SWITCH and self.prop.state is State.BUSY:
            return self.asked
        return self.prop.values


def _no_function() -> None:
    """Stands in for a property that is only published: a request for it is refused before it is called."""


def _text(value: Value) -> str:
    match value:
        case bool():
            return "On" if value else "Off"
        case State():
            return value.value
        case float() | int():
            return number_text(value)
        case str():
            return value
        case _:
            return ""


def _one(name: str, value: Value) -> OneMember | OneBlob:
    if isinstance(value, Blob):
        return OneBlob(name=name, size=value.size, format=value.wire_format, base64=value.wire_base64)
    return OneMember(name=name, value=_text(value))


def _defined(member: Member, value: Value) -> DefMember:
    if isinstance(member, Number):
        return DefNumber(
            name=member.name,
            label=member.label_text,
            value=_text(value),
            format=member.format,
            min=member.min,
            max=member.max,
            step=member.step,
        )
    text = "" if isinstance(value, Blob) else _text(value)
    return DefMember(name=member.name, label=member.label_text, value=text)
