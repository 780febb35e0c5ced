"""A message that was acknowledged has its receipt and its effect on disk, and counts once."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from perdure.base.time import MINUTE_US
from perdure.core.deliveries import Delivered, Delivery, Fate
from perdure.core.events import EventRaised
from perdure.core.notes import Shelf
from perdure.proving.auditor import CALL_TAG, Auditor
from perdure.proving.broker import event_of_delivery, starts_of
from perdure.proving.calls import Call
from perdure.proving.checkers.base import Accuse, Checker
from perdure.proving.disk import Commit
from perdure.proving.images import Image, event_of
from perdure.proving.node import Node

_SOON_US: Final = 2 * MINUTE_US
_NOTES_MAX: Final = 10_000


class Messages(Checker):
    """Exactly once, however often it is delivered."""

    promise = "messages"

    def __init__(self, auditor: Auditor, accuse: Accuse) -> None:
        """Begin with none."""
        super().__init__(auditor, accuse)
        self._effects: Counter[str] = Counter()

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            if change.after is None:
                continue
            if change.before is None:
                self._born(change.after)
            known = set() if change.before is None else {row.seq for row in change.before.inbox}
            for row in change.after.inbox:
                event = event_of(row.add.event)
                if row.seq in known or row.add.rank == 0 or not isinstance(event, EventRaised):
                    continue
                if (event.input or "").startswith("message "):
                    self._counts(event.input or "")

    def _born(self, image: Image) -> None:
        mark = dict(image.snapshot.identity.tags).get(CALL_TAG, "")
        # A rerun has the tags of its source, and a history from the beginning.
        if mark.startswith("m") and not image.history:
            self._counts(mark)

    def _counts(self, mark: str) -> None:
        self._effects[mark] += 1
        if self._effects[mark] > 1:
            self.accuse(f"'{mark}' has taken effect {self._effects[mark]} times")

    def swept(self, nodes: Iterable[Node]) -> None:
        """What is kept for an instance reaches it soon after its birth."""
        del nodes
        for instance_id in self.images.store.note_counts(Shelf.MAILBOX):
            image = self.images.by_id.get(instance_id)
            if image is None or image.finished or image.snapshot.head.stalled is not None:
                continue
            if self.auditor.now_us - self.auditor.born_us[image.key] > _SOON_US:
                self.accuse(f"'{instance_id}' is there, and events are kept for it all the same")

    def answered(self, node: Node, call: Call) -> None:
        del node
        if not isinstance(call.request, Delivery) or not isinstance(call.reply, Delivered):
            return
        store = self.images.store
        receipt = call.request.receipt or ""
        if store.note(Shelf.RECEIPTS, receipt) is None:
            self.accuse(f"message {call.number} was acknowledged and has no receipt")
        marks = self.auditor.marks_seen
        start, event = starts_of(call.request), event_of_delivery(call.request)
        match call.reply.fate:
            case Fate.STARTED | Fate.RECYCLED:
                there = start is not None and dict(start.tags)[CALL_TAG] in marks
            case Fate.RAISED:
                there = event is not None and event.input in marks
            case Fate.KEPT:
                mark = "" if event is None else event.input or ""
                there = mark in marks or self._is_noted(Shelf.MAILBOX, call.target, mark)
            case Fate.PARKED:
                mark = "" if start is None else dict(start.tags)[CALL_TAG]
                there = mark in marks or self._is_noted(Shelf.PARKED, call.target, mark)
            case _:
                there = True
        if not there:
            what = call.reply.fate.value
            self.accuse(f"message {call.number} was acknowledged as {what} and is nowhere")

    def _is_noted(self, shelf: Shelf, instance_id: str, mark: str) -> bool:
        """Tell whether what bears a mark is kept for an instance.

        Where nodes stand still it may have expired before the reply is made: any will do.
        """
        store = self.images.store
        if self.auditor.ways is not None:
            return store.note_count(shelf) > 0
        notes = store.notes_about(shelf, instance_id, 0, _NOTES_MAX)
        return any(mark.encode() in note.body for note in notes)
