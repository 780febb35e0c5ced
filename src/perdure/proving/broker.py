"""A broker: it delivers each message until it is told that it was taken in, and some again after.

What it delivers starts an instance, raises an event or ends one, together with a receipt, so that
a message that comes twice counts once.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from perdure.base.time import MINUTE_US, SECOND_US
from perdure.core import requests as rq
from perdure.core.deliveries import (
    Delivered,
    Delivery,
    OnExisting,
    OnMissing,
    RaiseStep,
    StartOrRaiseStep,
    StartStep,
    Step,
    TerminateStep,
    receipt_of,
)
from perdure.core.requests import Refusal
from perdure.proving.auditor import CALL_TAG
from perdure.proving.calls import Call, Request
from perdure.proving.programs import EVENT_NAMES, Author
from perdure.proving.workload import IDS

BUS: Final = "bus"
_AGAIN: Final = 0.15  # how often a message that was taken in comes once more
_PENDING_MAX: Final = 20


class Broker:
    """Messages, and what has become of each."""

    def __init__(self, chance: Random, ask: Callable[[str, Request], Call]) -> None:
        """Deliver through `ask`."""
        self._chance = chance
        self._ask = ask
        self._author = Author(chance, IDS)
        self._count = 0
        self._pending: dict[int, tuple[Delivery, Call]] = {}

    @property
    def idle(self) -> bool:
        """Whether every message has been dealt with."""
        return not self._pending

    def pause_us(self) -> int:
        """Draw how long it takes until the next message."""
        return self._chance.randrange(SECOND_US, 12 * SECOND_US)

    def deliver(self) -> None:
        """Deliver a new message, and again those of which nobody has heard."""
        self.deliver_again()
        if len(self._pending) < _PENDING_MAX:
            self._count += 1
            delivery = Delivery(receipt=receipt_of(BUS, str(self._count)), step=self._step())
            self._pending[self._count] = (delivery, self._ask(BUS, delivery))

    def deliver_again(self) -> None:
        """Deliver again what may not have been taken in."""
        for number, (delivery, call) in [*self._pending.items()]:
            if not call.over:
                continue
            done = isinstance(call.reply, Delivered | Refusal) and not call.lost
            if done and self._chance.random() >= _AGAIN:
                del self._pending[number]
            else:
                self._pending[number] = (delivery, self._ask(BUS, delivery))

    def _step(self) -> Step:
        chance = self._chance
        instance_id = chance.choice(IDS)
        mark = f"m{self._count}"
        start = rq.Start(
            instance_id=instance_id,
            name="flow",
            app_id="app",
            input=self._author.program().text(),
            tags=((CALL_TAG, mark),),
        )
        event = rq.RaiseEvent(
            instance_id=instance_id, name=chance.choice(EVENT_NAMES), input=f"message {mark}"
        )
        kept_us = chance.choice([20 * SECOND_US, 30 * MINUTE_US])
        steps: list[Step] = [
            StartStep(start=start, on_existing=chance.choice([*OnExisting])),
            RaiseStep(event=event, on_missing=chance.choice([*OnMissing]), keep_us=kept_us),
            StartOrRaiseStep(start=start, event=event),
            TerminateStep(terminate=rq.Terminate(instance_id=instance_id)),
        ]
        (step,) = chance.choices(steps, [6, 6, 3, 1])
        return step


def starts_of(delivery: Delivery) -> rq.Start | None:
    """Return the start that a delivery may come to."""
    return getattr(delivery.step, "start", None)


def event_of_delivery(delivery: Delivery) -> rq.RaiseEvent | None:
    """Return the event that a delivery may come to."""
    return getattr(delivery.step, "event", None)
