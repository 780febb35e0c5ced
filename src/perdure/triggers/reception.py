"""The receiver of one stream: from a message to what it leads to, on disk.

Theory of operation.
- A message is shown to every trigger of its stream, and each makes its own delivery under its own
  receipt. Only when all of them are on disk is the message ACCEPTED: one that comes again finds the
  receipts of those that were, and makes up for the rest.
- The first delivery is handed to the engine before anything is waited for, so that messages which
  arrive in order take effect in order.
- What a trigger cannot use (a payload, an expression or a refusal stands in the way) is tried a few
  times with growing pauses, and then kept as a dead letter under the same receipt, or published to
  the subscription's dead letter topic.
- The source's position goes with the last of the deliveries, and only if all others are on disk.
- LATER is said when the store is away, a trigger that wants the message is paused, or the server is
  stopping. A message that nothing names is told from another of equal content by its broker's word
  that it comes again.
"""

from collections.abc import Sequence

import structlog

from perdure.base.errors import ComponentUnavailable, ShuttingDown, StoreError
from perdure.core.deliveries import Delivery
from perdure.triggers.cases import EXPIRED, IGNORED, LATER, Case, Post
from perdure.triggers.cloud_events import NoEvent
from perdure.triggers.definitions import Subscription, Trigger
from perdure.triggers.port import Message, Settled
from perdure.triggers.routing import (
    Ignored,
    Plan,
    Received,
    Unusable,
    check_size,
    decide,
    received,
)

_log = structlog.get_logger(__name__)


class Reception:
    """Receives the messages of one stream."""

    def __init__(self, post: Post) -> None:
        """Receive for the triggers of the post's stream."""
        self._post = post

    async def __call__(self, message: Message) -> Settled:
        """Return ACCEPTED once everything that the message leads to is on disk."""
        if self._post.stopping.is_set():
            return Settled.LATER
        try:
            return await self._received(message)
        except (StoreError, ComponentUnavailable, ShuttingDown) as error:
            _log.warning("a message has to wait", source=self._post.source, trouble=str(error))
            return Settled.LATER

    async def _received(self, message: Message) -> Settled:
        try:
            check_size(message, self._post.rules)
            found = received(self._post.source, message, raw=self._post.stream.raw)
        except NoEvent as error:
            unreadable: Plan = Unusable(str(error))
            return await self._settle(message, None, [unreadable] * len(self._post.stream.takers))
        if found.event.expired_at(self._post.clock.now_us()):
            return await self._passed_over(message)
        plans = [self._plan(trigger, way, found) for trigger, way in self._post.stream.takers]
        return await self._settle(message, found, plans)

    def _plan(self, trigger: Trigger, way: Subscription | None, found: Received) -> Plan:
        return decide(trigger, way, found, self._post.rules)

    async def _passed_over(self, message: Message) -> Settled:
        for trigger, _ in self._post.stream.takers:
            self._post.count(trigger, EXPIRED)
        await self._keep_place(message)
        return Settled.ACCEPTED

    async def _settle(
        self, message: Message, found: Received | None, plans: Sequence[Plan]
    ) -> Settled:
        """Deliver to all who want it; those who are paused keep it from being accepted."""
        wanting: list[tuple[Trigger, Subscription | None, Plan]] = []
        held = False
        for (trigger, way), plan in zip(self._post.stream.takers, plans, strict=True):
            if isinstance(plan, Ignored):
                self._post.count(trigger, IGNORED)
                if not trigger.keep_us:
                    continue
            elif self._post.tally(trigger.name).paused:
                self._post.count(trigger, LATER)
                held = True
                continue
            wanting.append((trigger, way, plan))
        place_kept = False
        for number, (trigger, way, plan) in enumerate(wanting, 1):
            last = number == len(wanting) and not held
            case = Case(self._post, (trigger, way), message, found, carries_place=last)
            if await case.settled(plan) is Settled.LATER:
                self._post.count(trigger, LATER)
                held = True
            place_kept = case.place_kept
        if not held and not place_kept:
            await self._keep_place(message)
        return Settled.LATER if held else Settled.ACCEPTED

    async def _keep_place(self, message: Message) -> None:
        notes = self._post.place_notes(message)
        if notes:
            await self._post.delivering.keeper.deliver(Delivery(receipt=None, notes=notes))
