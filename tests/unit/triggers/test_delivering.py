"""Deliveries to a component that has no commit for both: the effect first, then the receipt."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from perdure.app.clock import SystemClock
from perdure.base.observer import NullObserver
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.components.port import WorkflowComponent
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
)
from perdure.core.notes import NoteAdd, NoteEnd
from perdure.core.requests import RaiseEvent, Reason, Refusal, Start, Terminate
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.store.memory.store import MemoryStore
from perdure.triggers.delivering import Delivering

APP = "app"


class Elsewhere(EmbeddedComponent):
    """A component as one on a cluster is: it keeps no notes."""

    name = "elsewhere"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.deliveries = None  # type: ignore[assignment]  # that is what it is about


@pytest.fixture
async def there() -> AsyncIterator[Delivering]:
    engines = []
    components: dict[str, WorkflowComponent] = {}
    for name, kind in ((EMBEDDED, EmbeddedComponent), ("elsewhere", Elsewhere)):
        clock = SystemClock()
        engine = Engine(EngineSettings(app_id=APP), MemoryStore(), clock, NullObserver())
        await engine.start()
        engines.append(engine)
        components[name] = kind(engine, clock, NullObserver())
    yield Delivering(Catalog(components, {}))
    for engine in engines:
        await engine.stop()


def start(on_existing: OnExisting = OnExisting.DISCARD) -> Step:
    return StartStep(start=Start(instance_id="a", name="wf", app_id=APP), on_existing=on_existing)


def event(on_missing: OnMissing = OnMissing.DEAD_LETTER) -> Step:
    return RaiseStep(event=RaiseEvent(instance_id="a", name="e"), on_missing=on_missing)


async def met(there: Delivering, step: Step | None, **more: Any) -> Fate | Reason:
    delivery = Delivery(**({"receipt": None} | more), step=step)
    outcome = await there.deliver("elsewhere", delivery)
    return outcome.reason if isinstance(outcome, Refusal) else outcome.fate


async def test_steps_and_their_policies(there: Delivering) -> None:
    assert await met(there, event()) is Reason.NOT_FOUND
    assert await met(there, event(OnMissing.DISCARD)) is Fate.DISCARDED
    either = StartOrRaiseStep(
        start=Start(instance_id="a", name="wf", app_id=APP),
        event=RaiseEvent(instance_id="a", name="e"),
    )
    end = TerminateStep(terminate=Terminate(instance_id="a"))
    assert await met(there, end) is Fate.DISCARDED
    assert await met(there, either) is Fate.STARTED
    assert await met(there, either) is Fate.RAISED
    assert await met(there, event()) is Fate.RAISED
    assert await met(there, start()) is Fate.DISCARDED
    assert await met(there, start(OnExisting.REJECT)) is Reason.ALREADY_EXISTS
    assert await met(there, end) is Fate.TERMINATED
    # What has ended exists: a message never begins it a second time.
    assert await met(there, start()) is Fate.DISCARDED
    assert await met(there, None) is Fate.NOTED


async def test_a_receipt_is_kept_by_the_embedded_engine(there: Delivering) -> None:
    assert await met(there, start(), receipt="r") is Fate.STARTED
    assert await met(there, event(), receipt="r") is Fate.DUPLICATE
    assert await met(there, event(), receipt="s") is Fate.RAISED


async def test_a_refusal_leaves_nothing(there: Delivering) -> None:
    note = NoteAdd(shelf="x", key="k", at_us=1)
    assert await met(there, event(), receipt="r", notes=(note,)) is Reason.NOT_FOUND
    assert await there.keeper.note("x", "k") is None
    assert await met(there, start(), receipt="r", notes=(note,)) is Fate.STARTED
    assert await there.keeper.note("x", "k") is not None


async def test_what_is_to_be_ended_has_to_be_there(there: Delivering) -> None:
    ended = (NoteEnd("x", "k"),)
    assert await met(there, start(), ended_notes=ended) is Fate.DUPLICATE
    note = NoteAdd(shelf="x", key="k", at_us=1)
    assert await there.keeper.deliver(Delivery(receipt=None, notes=(note,))) == Delivered(
        Fate.NOTED
    )
    assert await met(there, start(), ended_notes=ended) is Fate.STARTED
    assert await there.keeper.note("x", "k") is None
