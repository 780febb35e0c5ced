"""P1: what was acknowledged is on disk, stays there, and is in force."""

from collections.abc import Iterator, Mapping
from typing import Final

from perdure.base.time import SECOND_US
from perdure.components.port import Done
from perdure.core import requests as rq
from perdure.core.events import ExecutionTerminated, Kind
from perdure.core.status import Status
from perdure.proving.auditor import CALL_TAG, Auditor, HandOut, Seen
from perdure.proving.calls import Call
from perdure.proving.checkers.base import Accuse, Checker, is_told
from perdure.proving.disk import Commit
from perdure.proving.images import Image
from perdure.proving.items import TurnItem
from perdure.proving.node import Node

_RESULTS: Final = frozenset(
    {
        Kind.TASK_COMPLETED,
        Kind.TASK_FAILED,
        Kind.CHILD_COMPLETED,
        Kind.CHILD_FAILED,
        Kind.TIMER_FIRED,
        Kind.EXECUTION_STARTED,
    }
)


class Acknowledged(Checker):
    """Nothing that was acknowledged is missing, undone, or without effect."""

    promise = "P1"

    def __init__(
        self, auditor: Auditor, accuse: Accuse, retention_us: Mapping[Status, int]
    ) -> None:
        """Know for how long finished instances are kept."""
        super().__init__(auditor, accuse)
        self._retention_us = retention_us

    # ---- at the acknowledgement

    def answered(self, node: Node, call: Call) -> None:
        del node
        if not call.accepted:
            return
        match call.request:
            case rq.Start(tags=tags):
                self._is_on_disk(call, dict(tags)["call"])
            case rq.RaiseEvent(input=payload):
                self._is_on_disk(call, payload or "")
            case rq.Terminate():
                self._ends(call)
            case rq.Suspend() | rq.Resume():
                self._was_suspended(call, wanted=isinstance(call.request, rq.Suspend))
            case rq.Purge():
                self._was_gone(call)
            case _:
                return

    def _is_on_disk(self, call: Call, mark: str) -> None:
        if mark not in self.auditor.marks_seen:
            self.accuse(f"{call.kind} {call.number} was acknowledged and never was on disk")

    def _ends(self, call: Call) -> None:
        window = self._window(call)
        image = self.images.by_id.get(call.target)
        alive = image is not None and not image.finished
        in_force = isinstance(call.reply, Done) and call.reply.in_force
        if window is None or not alive or any(s.finished or not s.there for s in window):
            return
        assert image is not None, "it is alive"
        if in_force:
            self.accuse(f"terminate {call.number} is said to be in force and is not")
        elif not any(isinstance(event, ExecutionTerminated) for event in image.unread()):
            self.accuse(f"terminate {call.number} was acknowledged and is not on disk")

    def _was_suspended(self, call: Call, *, wanted: bool) -> None:
        window = self._window(call)
        if window is not None and all(s.there and s.suspended != wanted for s in window):
            self.accuse(f"{call.kind} {call.number} was acknowledged and has changed nothing")

    def _was_gone(self, call: Call) -> None:
        window = self._window(call)
        if window is None:
            return
        # It was gone at a moment, be it that another bears the id by now.
        keys = {seen.key for seen in window if seen.there}
        if len(keys) == 1 and all(seen.there for seen in window):
            self.accuse(
                f"purge {call.number} was acknowledged and the instance was there all along"
            )

    def _window(self, call: Call) -> list[Seen] | None:
        return self.auditor.window(call.target, call.since)

    # ---- ever after

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            if change.before is None:
                continue
            if change.after is None:
                self._removed(change.before, commit)
            elif change.after.finished and not change.before.finished:
                self._ends_others(change.after)
            elif change.before.generation == change.after.generation:
                self._kept(change.before, change.after)
        self._only_flags(commit)

    def _removed(self, image: Image, commit: Commit) -> None:
        step = self.auditor.step
        identity = image.snapshot.identity
        if self._is_purged(image, step) or self._is_expired(image, commit):
            return
        if self.auditor.may_be_asked(image.instance_id, "message", step):
            return  # a message may have overwritten it
        bearer = self.images.by_id.get(identity.instance_id)
        if image.finished and bearer is not None and bearer.key != image.key:
            self._replaced(image, bearer)
            return
        self.accuse(f"'{identity.instance_id}' (key {image.key}) was removed, and nobody asked")

    def _replaced(self, image: Image, bearer: Image) -> None:
        """Another was born in its place; a start waits until nobody below it is active."""
        started = any(name == CALL_TAG for name, _ in bearer.snapshot.identity.tags)
        below = (self.images.by_key.get(key) for key in self._found_below(image.key))
        if started and any(each is not None and not each.finished for each in below):
            self.accuse(f"'{image.instance_id}' was started anew while one below it is active")

    def _found_below(self, key: int) -> Iterator[int]:
        """Those below an instance that a chain of instances leads to: a purge may break it."""
        for child in self.auditor.children.get(key, ()):
            if child in self.images.by_key:
                yield child
                yield from self._found_below(child)

    def _is_purged(self, image: Image, step: int) -> bool:
        """Tell whether it or anybody above it was to be purged."""
        names = self.auditor.line_of(image.key)
        return any(self.auditor.may_be_asked(name, "purge", step) for name in names)

    def _is_expired(self, image: Image, commit: Commit) -> bool:
        head = image.snapshot.head
        keep_us = self._retention_us.get(Status(head.phase))
        purged = [entry for entry in commit.entries if entry.key == image.key and entry.purge]
        if keep_us is None or head.completed_at_us is None or not purged:
            return False
        return head.completed_at_us + keep_us <= max(e.lifecycle[0].at_us for e in purged)

    def _ends_others(self, image: Image) -> None:
        """A recursive terminate is on its way to every child in the commit that ends the parent."""
        orders = [event for event in image.past() if isinstance(event, ExecutionTerminated)]
        if not orders or not orders[0].recurse:
            return
        for key in self.auditor.children.get(image.key, ()):
            child = self.images.by_key.get(key)
            if child is not None and not child.finished and key not in self.auditor.terminate_us:
                self.accuse(f"'{image.instance_id}' was ended with its children, and one was not")

    def _kept(self, before: Image, after: Image) -> None:
        """What left an inbox is in the history, or could mean nothing any more."""
        if after.finished:
            return
        left = {row.seq: row for row in before.inbox}
        for row in after.inbox:
            left.pop(row.seq, None)
        added = [row.event for row in after.history[len(before.history) :]]
        for row in left.values():
            if row.add.event in added:
                added.remove(row.add.event)
            elif row.add.kind not in _RESULTS:
                text = f"an event of kind {row.add.kind} left the inbox of '{after.instance_id}'"
                self.accuse(f"{text} and is nowhere")

    def _only_flags(self, commit: Commit) -> None:
        """A suspension is lifted by a resume alone."""
        for change in commit.changes:
            if change.before is None or change.after is None:
                continue
            was, is_now = change.before.snapshot.suspended, change.after.snapshot.suspended
            kind = "suspend" if is_now else "resume"
            step = self.auditor.step
            asked = self.auditor.may_be_asked(change.after.instance_id, kind, step)
            if was != is_now and not asked:
                self.accuse(f"'{change.after.instance_id}' was changed by no {kind}")

    # ---- in force

    def handed_out(self, node: Node, out: HandOut) -> None:
        image = self.images.by_key.get(out.key)
        if image is None or not is_told(node, out.key):
            return
        what = f"work of '{image.instance_id}' was handed out"
        if image.snapshot.suspended:
            self.accuse(f"{what} while it is suspended")
        if image.snapshot.held:
            self.accuse(f"{what} before its time to start")
        ordered_us = self.auditor.terminate_us.get(out.key, out.at_us)
        if isinstance(out.item, TurnItem) and out.at_us - ordered_us > SECOND_US:
            self.accuse(f"{what} after its terminate was known")
