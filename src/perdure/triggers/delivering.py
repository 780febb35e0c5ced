"""Handing deliveries to the workflow component that a trigger names.

A component that can put a message's receipt and its effect into one commit does so. For one that
cannot, the effect comes first and the receipt, which the embedded engine keeps, right after it: a
crash in between lets the message take effect once more, which for a start its instance id prevents.
"""

from dataclasses import replace
from typing import Final

from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.deliveries import Deliveries
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
from perdure.core.notes import Shelf
from perdure.core.requests import Reason, Refusal

_GONE: Final = frozenset({Reason.NOT_FOUND, Reason.ALREADY_FINISHED})
_TAKEN: Final = frozenset({Reason.ALREADY_EXISTS})


class Delivering:
    """The components of this process, as triggers use them."""

    def __init__(self, catalog: Catalog) -> None:
        """Deliver to the components of `catalog`; the embedded one keeps the notes."""
        self._components = catalog.components
        keeper = self._components[EMBEDDED].deliveries
        assert keeper is not None, "the embedded engine has one commit for both"
        self.keeper: Deliveries = keeper

    async def deliver(self, component: str, delivery: Delivery) -> Delivered | Refusal:
        """Land a delivery; a Refusal leaves nothing on disk. May raise a StoreError."""
        chosen = self._components[component]
        if chosen.deliveries is not None:
            return await chosen.deliveries.deliver(delivery)
        if await self._came_before(delivery):
            return Delivered(Fate.DUPLICATE)
        fate = Fate.NOTED if delivery.step is None else await _take(chosen, delivery.step)
        if isinstance(fate, Refusal):
            return fate
        await self.keeper.deliver(
            Delivery(
                receipt=delivery.receipt, notes=delivery.notes, ended_notes=delivery.ended_notes
            )
        )
        return Delivered(fate)

    async def _came_before(self, delivery: Delivery) -> bool:
        receipt = delivery.receipt
        if receipt and await self.keeper.note(Shelf.RECEIPTS, receipt) is not None:
            return True
        for ended in delivery.ended_notes:
            if ended.must_exist and await self.keeper.note(ended.shelf, ended.key) is None:
                return True
        return False


async def _take(component: WorkflowComponent, step: Step) -> Fate | Refusal:
    match step:
        case StartStep():
            # A finished instance counts as an existing one.
            started = await component.start(replace(step.start, replace_finished=False))
            discards = step.on_existing is OnExisting.DISCARD
            return _fate(started, Fate.STARTED, _TAKEN if discards else frozenset())
        case RaiseStep():
            raised = await component.raise_event(step.event)
            discards = step.on_missing is OnMissing.DISCARD
            return _fate(raised, Fate.RAISED, _GONE if discards else frozenset())
        case StartOrRaiseStep():
            return await _start_or_raise(component, step)
        case TerminateStep():
            return _fate(await component.terminate(step.terminate), Fate.TERMINATED, _GONE)


def _fate(met: object, done: Fate, discarded: frozenset[Reason]) -> Fate | Refusal:
    if not isinstance(met, Refusal):
        return done
    return Fate.DISCARDED if met.reason in discarded else met


async def _start_or_raise(component: WorkflowComponent, step: StartOrRaiseStep) -> Fate | Refusal:
    raised = await component.raise_event(step.event)
    if not isinstance(raised, Refusal):
        return Fate.RAISED
    if raised.reason not in _GONE:
        return raised
    started = await component.start(step.start)
    return started if isinstance(started, Refusal) else Fate.STARTED
