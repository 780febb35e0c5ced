"""Messages for an engine in its house: deliveries made from the fewest words."""

from typing import Any

from perdure.base.errors import StoreError
from perdure.base.time import HOUR_US
from perdure.core.deliveries import (
    Delivered,
    Delivery,
    Fate,
    OnExisting,
    OnMissing,
    RaiseStep,
    StartOrRaiseStep,
    StartStep,
    Step,
    TerminateStep,
    receipt_of,
)
from perdure.core.notes import NoteAdd, NoteRule, Shelf
from perdure.core.requests import RaiseEvent, Refusal, Start, Terminate
from tests.kit.house import APP, House

SOURCE = "source"


def started(instance_id: str, text: str | None = None, **fields: Any) -> Start:
    known: dict[str, Any] = {"instance_id": instance_id, "name": "wf", "app_id": APP, "input": text}
    return Start(**(known | fields))


def start(
    instance_id: str, on_existing: OnExisting = OnExisting.DISCARD, text: str | None = None
) -> StartStep:
    return StartStep(start=started(instance_id, text), on_existing=on_existing)


def event(
    instance_id: str,
    name: str,
    on_missing: OnMissing = OnMissing.KEEP,
    *,
    keep_us: int = HOUR_US,
    text: str | None = None,
) -> RaiseStep:
    raised = RaiseEvent(instance_id=instance_id, name=name, input=text)
    return RaiseStep(event=raised, on_missing=on_missing, keep_us=keep_us)


def start_or_raise(instance_id: str, name: str, text: str | None = None) -> StartOrRaiseStep:
    return StartOrRaiseStep(
        start=started(instance_id, text), event=RaiseEvent(instance_id=instance_id, name=name)
    )


def terminate(instance_id: str, output: str | None = None) -> TerminateStep:
    return TerminateStep(terminate=Terminate(instance_id=instance_id, output=output))


def message(message_id: str, step: Step | None, **fields: Any) -> Delivery:
    """A message that leads to a step, with a note of how far its source has come."""
    position = NoteAdd(
        shelf=Shelf.POSITIONS,
        key=SOURCE,
        at_us=0,
        body=message_id.encode(),
        rule=NoteRule.REPLACE,
    )
    known: dict[str, Any] = {"notes": (position,)}
    return Delivery(receipt=receipt_of(SOURCE, message_id), step=step, **(known | fields))


async def post(house: House, message_id: str, step: Step | None) -> Fate | Refusal:
    """Deliver a message, and return what became of it."""
    result = await house.component.deliveries.deliver(message(message_id, step))
    return result.fate if isinstance(result, Delivered) else result


async def post_surely(house: House, message_id: str, step: Step | None) -> Fate | Refusal:
    """Deliver a message again and again until that is acknowledged, as its source does."""
    while True:
        try:
            return await post(house, message_id, step)
        except StoreError:
            house.store.power_returns()


def position(house: House) -> str | None:
    """How far the source has come, as is on disk."""
    note = house.store.note(Shelf.POSITIONS, SOURCE)
    return None if note is None else note.body.decode()


def receipts(house: House) -> int:
    return house.store.note_count(Shelf.RECEIPTS)
