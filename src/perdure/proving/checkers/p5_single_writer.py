"""P5: one move at a time: a history only grows, from where it was, by what was handed out."""

from collections import Counter

from perdure.core.events import Kind
from perdure.proving.checkers.base import Checker
from perdure.proving.disk import Commit
from perdure.proving.images import Change, Image
from perdure.proving.items import TurnItem
from perdure.store.port import Verdict


class SingleWriter(Checker):
    """No two turns are for the same position of one instance."""

    promise = "P5"

    def landed(self, commit: Commit) -> None:
        moves: Counter[int] = Counter()
        others: Counter[int] = Counter()  # another version without a move
        for entry, outcome in zip(commit.entries, commit.outcomes, strict=True):
            if entry.key is not None and outcome.verdict is Verdict.LANDED:
                moves[entry.key] += entry.head is not None
                others[entry.key] += entry.moves and entry.head is None
        for change in commit.changes:
            if change.before is not None and change.after is not None:
                key = change.key
                self._moved(change.before, change.after, moves[key], others[key])
            elif change.before is None and change.after is not None:
                self._born(change, change.after)

    def _born(self, change: Change, after: Image) -> None:
        # Whoever has nothing to wait for is born and ends in one commit.
        if self.auditor.ended_step.get(change.key, self.auditor.step) < self.auditor.step:
            self.accuse(f"key {change.key} ('{after.instance_id}') was given twice")

    def _moved(self, before: Image, after: Image, moves: int, others: int) -> None:
        name = f"'{after.instance_id}'"
        grown = after.snapshot.version - before.snapshot.version
        if grown != moves + others:
            self.accuse(f"{name} was moved {moves} times and its version grew by {grown}")
        if moves > 1:
            self.accuse(f"{name} was moved {moves} times in one commit")
        if before.finished and (after.history != before.history or not after.finished):
            self.accuse(f"{name} had finished and was moved")
        if after.generation == before.generation:
            length = len(before.history)
            if after.history[:length] != before.history:
                self.accuse(f"the history of {name} was changed and not only added to")
            else:
                self._added(before, after, length)
        elif after.generation != before.generation + 1 or after.history:
            text = f"generation {before.generation} of {name} was followed by {after.generation}"
            self.accuse(f"{text} with a history of {len(after.history)} events")

    def _added(self, before: Image, after: Image, length: int) -> None:
        added = after.history[length:]
        if not added or before.key in self.auditor.tainted:
            return
        starts = [row for row in added if row.kind == Kind.WORKFLOW_STARTED]
        if len(starts) > 1:
            self.accuse(f"two turns of '{after.instance_id}' were for one position")
        if len(starts) == 1 and added[0] is starts[0] and not _terminated(after):
            self._was_handed_out(after, [row.event for row in added[1:]], length)

    def _was_handed_out(self, after: Image, batch: list[bytes], position: int) -> None:
        """What the turn took is what a worker was sent for that position."""
        for out in reversed(self.auditor.turns_of.get(after.key, ())):
            if isinstance(out.item, TurnItem) and out.position == position:
                sent = [*out.item.new_bytes[1:]]
                if batch[: len(sent)] == sent:
                    return
                break
        self.accuse(f"a turn of '{after.instance_id}' landed that nobody was handed like this")


def _terminated(image: Image) -> bool:
    return any(row.kind == Kind.EXECUTION_TERMINATED for row in image.history)
