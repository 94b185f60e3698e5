"""``Run``: one request under way, from its handler's call to the answer (steps 3 to 6 of a request's way)."""

from __future__ import annotations

import enum
import logging
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from indiflask.errors import Cancelled, NotConnected, Reject
from indiflask.links.signals import Latch
from indiflask.running.calls import call
from indiflask.running.failures import FAILURES, leaf, text_of
from indiflask.running.pending import current_run
from indiflask.values import Reply, State, Values

if TYPE_CHECKING:
    from indiflask.running.live import Live, Request
    from indiflask.running.place import Place
    from indiflask.running.worker import Worker

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""How long a ``stop`` function, and the end of the handler that it halts, may take: what a person at an abort button
would wait before reaching for the plug."""


class Early(enum.Enum):
    """Why a run ended before its handler did."""

    CANCELLED = "cancelled"
    REPLACED = "replaced"
    DEADLINE = "past its deadline"
    DISCONNECTED = "the device disconnected"
    STOPPED = "the app ended"


class Answered:
    """Returned by a built-in handler that has answered by itself."""


ANSWERED = Answered()


class Outcome(NamedTuple):
    """What is told at the end; None of a state: nothing is."""

    values: Values
    state: State | None
    message: str = ""


Holder = tuple["Place", Latch]
"""A place that is held, until the latch is set."""


class Run:
    """One request under way. Loop thread only."""

    __slots__ = (
        "__weakref__",
        "_before",
        "_early",
        "_scope",
        "_successor",
        "_told_busy",
        "_yielded",
        "asked",
        "begun",
        "busy_at",
        "ended",
        "holders",
        "live",
        "pendings",
        "restoring",
        "settled",
    )

    def __init__(self, request: Request, asked: Values) -> None:
        self.live: Live = request.live
        self.asked = asked
        self.restoring = request.restoring
        self.pendings = [request.pending] if request.pending else []
        origin = request.pending.origin if request.pending else None
        self.begun = False
        self.busy_at = math.inf
        """When it is shown as Busy, by the loop's clock."""
        self.settled = Latch()
        """Ended or gone Busy: the device's next request may start."""
        self.ended: Latch = Latch()
        own = (self.live.place, self.ended)
        self.holders: tuple[Holder, ...] = (*_not_ended(origin.holders), own) if origin else (own,)
        """Places held by this run and by those that wait for it: awaiting a request for one would never end."""
        self._scope: anyio.CancelScope | None = None
        self._early: Early | None = None
        self._successor: Run | None = None
        self._told_busy = False
        self._before = self.live.prop.values
        self._yielded = False

    # --- from outside ---

    def begin(self) -> None:
        """Its place is free: the handler will be called at once."""
        self.begun = True
        self._before = self.live.prop.values
        self.live.begin(self)
        if self._told_busy:
            self.live.show_busy(self.asked)

    def perform_alone(self) -> None:
        """Call the handler in a task of its own."""
        self.live.device.start_soon(self._perform)

    def go_busy(self) -> None:
        """Tell clients that it takes longer, whether it runs or still waits."""
        if not self._told_busy and not self.ended.is_set:
            self._told_busy = True
            self.live.show_busy(self.asked)
        self._goes_on()

    def answers_instead_of(self, successor: Run) -> None:
        """Its successor was to answer for it, and will never start."""
        if self._successor is successor:
            self._successor = None

    def has_answered(self) -> None:
        """What it asks for is so already, and clients have been told: Busy would be wrong now."""
        self._told_busy = True

    def _goes_on(self) -> None:
        """The device's next request may start."""
        if not self.settled.is_set:
            self.settled.set()
            self.live.device.queue.goes_on(self)

    def end_early(self, why: Early) -> None:
        """End it: the handler is cancelled and the hardware halted. ``ended`` tells when."""
        if self._early is None and not self.ended.is_set:
            self._early = why
            if self._scope is not None:
                self._scope.cancel()

    def superseded(self, successor: Run) -> None:
        """A newer request takes its place, and answers for it where it is one of the same property."""
        self._successor = successor
        if self.live is successor.live and self._early in (None, Early.REPLACED):
            successor.pendings += self.pendings
            self.pendings = []
        if self.live.run is self:
            self.end_early(Early.REPLACED)
        else:
            self.dropped(Early.REPLACED)

    def dropped(self, why: Early) -> None:
        """It never started."""
        self._early = why
        if self.live.run is not None:
            self.live.run.answers_instead_of(self)
        state = State.IDLE if self.live.run is None and not self._answered_by_successor else None
        self._answer(Outcome({}, state, self._early_text()))

    # --- its life ---

    async def _perform(self) -> None:
        try:
            with anyio.CancelScope() as scope:
                await self.attempt(scope)
        finally:
            if not self.ended.is_set:
                await self.halt()

    async def attempt(self, scope: anyio.CancelScope) -> bool:
        """Call the handler, and answer. ``scope`` is cancelled to end it early.

        Where this returns False or raises, ``halt`` comes next, outside the scope.
        """
        self._scope = scope
        current_run.set(self)
        outcome = None
        if self._early is None:
            deadline = self.live.prop.declaration.conduct.deadline
            outcome = await (self._work_until(deadline) if deadline else self._work())
        if self._early is not None or outcome is None:
            return False
        self._answer(outcome)
        return True

    async def halt(self) -> None:
        """It ended early: halt the hardware, and answer."""
        self._early = self._early or Early.STOPPED  # cancelled from outside: all ends
        outcome = Outcome({}, State.ALERT, "ended with the app")
        try:
            with anyio.CancelScope(shield=True):
                outcome = await self._halt(self._early)
        finally:
            self._answer(outcome)

    async def _work_until(self, deadline: float) -> Outcome | None:
        """What is to be answered; None if the handler did not end within its deadline."""
        with anyio.move_on_after(deadline):
            return await self._work()
        self._early = self._early or Early.DEADLINE
        return None

    @property
    def _is_button(self) -> bool:
        return self.live.prop.declaration.word == "button"

    async def _work(self) -> Outcome:
        if self._is_button and not any(self.asked.values()):
            return Outcome(self.asked, State.OK)  # let go, not pressed
        try:
            arguments = self.live.prop.declaration.shape.arguments(self.asked)
            given = await call(self.live.handler, arguments, self.live.device.worker, self._progress)
            if given is None and self.live.prop.readback is None and not self._is_button:
                return Outcome(self.asked, State.OK)
            return await self._interpret(given)
        except FAILURES as error:
            return await self._failed(leaf(error))

    def _progress(self, given: Any) -> None:
        """A generator yielded: Busy, with the values that are true now."""
        self._told_busy = self._yielded = True
        values, state, message = self._reply(given)
        self.live.progress(values, state or State.BUSY, message)
        self._goes_on()

    def _reply(self, given: Any) -> tuple[Values, State | None, str]:
        if given is None:
            return {}, None, ""
        return self.live.prop.reply_values(given if isinstance(given, Reply) else Reply(given))

    async def _interpret(self, given: Any) -> Outcome:
        if given is ANSWERED:
            return Outcome({}, None)
        values, state, message = self._reply(given)
        if state is State.BUSY and self.live.handler.is_generator:
            state = None  # the Busy of its last yield: now it has ended
        if not values:
            values, read_state, read_message = await self._true_values()
            state, message = state or read_state, message or read_message
        if self._is_button:
            values = dict.fromkeys(self.asked, False)
        return Outcome(values, state or State.OK, message)

    async def _true_values(self) -> tuple[Values, State | None, str]:
        """After nothing was returned: what the readback says, else what was asked for."""
        if self.live.prop.readback is None:
            return self.asked, None, ""
        return await self.live.device.read(self.live)

    async def _failed(self, error: BaseException) -> Outcome:
        if isinstance(error, Reject):
            log.debug("%s refused: %s", self.live.path, error)
        else:
            log.error("%s failed", self.live.path, exc_info=error)
        values: Values = {}
        if self.live.prop.readback and not self.live.device.is_loss(error):
            values = await self._values_after()
        if self._yielded and not values:
            values = self._before
        self.live.device.lose(error)  # last: what follows is this run's answer, and then all runs are ended
        return Outcome(values, State.ALERT, text_of(error))

    async def _values_after(self) -> Values:
        """What the readback says after a failure. That it fails too is no news."""
        try:
            values, _, _ = await self.live.device.read(self.live)
        except FAILURES as error:
            log.info("readback of %s after its failure failed too: %s", self.live.path, error)
            return {}
        return values

    # --- ending early ---

    async def _halt(self, why: Early) -> Outcome:
        """Step 5: the hardware is halted, whatever the reason."""
        problem = ""
        worker = self.live.device.worker
        threaded = self.live.handler.in_thread
        ends_soon = self.live.prop.halt is not None or self.live.handler.is_generator
        values: Values = {}
        with anyio.move_on_after(STOP_SECONDS) as limit:
            problem = await self._call_stop()
            if threaded and worker.busy and ends_soon:
                await worker.run(_nothing)  # what runs in the thread has ended then
            if why not in (Early.DISCONNECTED, Early.STOPPED) and self._readable_now(worker):
                values = await self._values_after()
        if limit.cancelled_caught:
            log.warning("%s did not halt within %g s", self.live.path, STOP_SECONDS)
        text = self._early_text()
        if threaded and worker.busy:
            text += ", and is still running"  # a plain def cannot be interrupted: the device's next one waits for it
        if problem:
            return Outcome(values, State.ALERT, f"{text}, and its stop failed: {problem}")
        if why is Early.DEADLINE:
            return Outcome(values, State.ALERT, text)
        return Outcome(values, State.IDLE if not self._answered_by_successor else None, text)

    def _readable_now(self, worker: Worker) -> bool:
        """Whether there is a readback that would not wait for a thread that hangs."""
        return self.live.prop.readback is not None and not (worker.busy and self.live.reader.in_thread)

    async def _call_stop(self) -> str:
        """Call the ``stop`` function outside the queue; what went wrong, if it did."""
        halt = self.live.prop.halt
        if halt is None:
            return ""
        try:
            await self.live.device.call_aside(halt)
        except FAILURES as error:
            log.exception("the stop of %s failed", self.live.path)
            self.live.device.lose(leaf(error))
            return text_of(leaf(error))
        return ""

    @property
    def _answered_by_successor(self) -> bool:
        return self._successor is not None and self._successor.live is self.live

    def _early_text(self) -> str:
        match self._early:
            case Early.DEADLINE:
                return f"took longer than {self.live.prop.declaration.conduct.deadline:g} s"
            case Early.REPLACED if self._successor is not None:
                return f"replaced by {self._successor.live.name}"
            case None:
                return ""
            case Early() as early:
                return str(early.value)

    # --- the answer ---

    def _answer(self, outcome: Outcome) -> None:
        if outcome.state is not None:
            self.live.end(outcome.values, outcome.state, outcome.message)
        else:
            self.live.end_silently(self)
        if self.pendings:
            self._finish_pendings(outcome)
        if outcome.state is State.OK and not self.restoring:
            self.live.device.remember(self.live, self.asked)
        self.settled.set()
        self.ended.set()
        if self.begun:
            self.live.place.release()
            current_run.set(None)

    def _finish_pendings(self, outcome: Outcome) -> None:
        error: Exception | None = None
        if self._early in (Early.DISCONNECTED, Early.STOPPED):
            error = NotConnected(f"{self.live.path}: {self._early.value}")
        elif self._early in (Early.CANCELLED, Early.REPLACED):
            error = Cancelled(f"{self.live.path} was {self._early_text()}")
        elif outcome.state is State.ALERT:
            error = Reject(outcome.message or f"{self.live.path} failed")
        pendings, self.pendings = self.pendings, []  # or a handler that asks again and again keeps all its runs
        for pending in pendings:
            pending.finish(error)


def _not_ended(holders: tuple[Holder, ...]) -> tuple[Holder, ...]:
    return tuple(holder for holder in holders if not holder[1].is_set)


def _nothing() -> None: ...
