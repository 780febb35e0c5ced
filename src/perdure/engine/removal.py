"""Instances removed, by purge and by retention."""

import asyncio
from collections.abc import Callable, Iterable

from perdure.base.limits import DESCENDANTS_MAX, PURGES_PER_SWEEP_MAX
from perdure.core.admit import Known, admit_purge
from perdure.core.events import ChildFailed, Failure
from perdure.core.requests import Purge, Reason, Refusal
from perdure.core.status import TERMINAL, Status
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.lookup import Lookup
from perdure.engine.queueing import TaskQueues
from perdure.engine.reports import subject_of
from perdure.engine.residents import Residents
from perdure.engine.rows import lifecycle, to_parent
from perdure.engine.turns import Turns
from perdure.store.port import Entry, Outcome, Require, Snapshot, Verdict
from perdure.wire.events import decode


class Removal:
    """Deletes instances, from the store and from memory."""

    def __init__(
        self,
        ground: Ground,
        lookup: Lookup,
        residents: Residents,
        inboxes: Inboxes,
        tasks: TaskQueues,
        turns: Turns,
    ) -> None:
        """Delete, and tell everybody who may still hold an instance; also `on_gone`."""
        self.on_gone: Callable[[str], None] = lambda instance_id: None  # noqa: ARG005 - nobody listens yet
        self._clock = ground.clock
        self._observer = ground.observer
        self._landing = ground.landing
        self._lookup = lookup
        self._residents = residents
        self._inboxes = inboxes
        self._tasks = tasks
        self._turns = turns

    async def purge(self, request: Purge) -> int | Refusal:
        """Delete an instance, with `recursive` those below it first; return how many."""
        snapshot = await self._lookup.snapshot(request.instance_id)
        known = None
        if snapshot is not None:
            known = Known(snapshot.identity.name, Status(snapshot.status))
        refusal = admit_purge(request, known)
        if refusal is not None:
            return refusal
        assert snapshot is not None, "what is not there is refused"
        doomed = [snapshot]
        if request.recursive:
            doomed += await self._lookup.descendants(snapshot.key, DESCENDANTS_MAX)
        active = next((s for s in doomed if Status(s.status) not in TERMINAL), None)
        if active is not None and not request.force:
            text = "orchestration has not yet completed"
            return Refusal(
                Reason.NOT_FINISHED, f"{text}: its descendant '{active.identity.instance_id}'"
            )
        return await self.remove(reversed(doomed))

    async def remove(self, doomed: Iterable[Snapshot], *, by_retention: bool = False) -> int:
        """Delete instances in the order given, and return how many there still were."""
        count = 0
        doomed = list(doomed)
        keys = {snapshot.key for snapshot in doomed}
        # Many at once share a commit, or deleting could not keep up with finishing; they land in
        # the order in which they are handed in.
        for begin in range(0, len(doomed), PURGES_PER_SWEEP_MAX):
            outcomes = await asyncio.gather(
                *(
                    # A parent that goes as well is not told: it could answer with a new child.
                    self._remove(
                        snapshot,
                        tells_parent=snapshot.identity.parent_key not in keys,
                        by_retention=by_retention,
                    )
                    for snapshot in doomed[begin : begin + PURGES_PER_SWEEP_MAX]
                )
            )
            count += sum(outcome.verdict is Verdict.LANDED for outcome in outcomes)
        return count

    async def _remove(
        self, snapshot: Snapshot, *, tells_parent: bool, by_retention: bool
    ) -> Outcome:
        entry = self._entry(snapshot, tells_parent=tells_parent)

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                self._removed(snapshot, entry, outcome, by_retention=by_retention)

        return await self._landing.once(entry, apply)

    def _entry(self, snapshot: Snapshot, *, tells_parent: bool) -> Entry:
        now_us = self._clock.now_us()
        messages = []
        if tells_parent and Status(snapshot.status) not in TERMINAL:
            # The parent must not wait for ever for a child that is gone.
            text = f"child workflow '{snapshot.identity.instance_id}' was purged before its end"
            gone = ChildFailed(
                at_us=now_us,
                task_id=snapshot.identity.parent_task_id,
                failure=Failure("WorkflowInstancePurged", text),
            )
            messages = to_parent(snapshot.identity, gone)
        return Entry(
            key=snapshot.key,
            require=Require.EXISTS,
            messages=tuple(messages),
            purge=True,
            lifecycle=(lifecycle("purged", now_us, snapshot.identity),),
        )

    def _removed(
        self, snapshot: Snapshot, entry: Entry, outcome: Outcome, *, by_retention: bool
    ) -> None:
        resident = self._residents.drop(snapshot.key)
        if resident is not None:
            self._turns.forget(resident)
        self._tasks.forget(snapshot.key)
        self._observer.instance_purged(
            subject_of(snapshot.identity), at_us=entry.lifecycle[0].at_us, by_retention=by_retention
        )
        for message, landed in zip(entry.messages, outcome.messages, strict=True):
            if landed is not None:
                self._inboxes.deliver(*landed, message.add, decode(message.add.event))
        # Whoever waits for its end would wait for ever: to be gone is an end.
        self._lookup.tell_gone(snapshot.identity.instance_id)
        self.on_gone(snapshot.identity.instance_id)
