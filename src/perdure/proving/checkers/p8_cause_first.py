"""P8: nothing is handed out, and nobody is told, before its cause is on disk."""

from perdure.core.events import TaskScheduled
from perdure.proving.auditor import HandOut
from perdure.proving.checkers.base import Checker, is_told
from perdure.proving.disk import Commit
from perdure.proving.images import event_of
from perdure.proving.items import ActivityItem
from perdure.proving.node import Node


class CauseFirst(Checker):
    """An activity has side effects: it runs when its schedule is on disk, and not after its end."""

    promise = "P8"

    def handed_out(self, node: Node, out: HandOut) -> None:
        if not isinstance(out.item, ActivityItem) or out.key in self.auditor.tainted:
            return
        item = out.item
        what = f"activity {item.task_id} of '{item.instance_id}' was handed out"
        image = self.images.by_key.get(out.key)
        if image is None:
            if is_told(node, self.auditor.last_key(item.instance_id)):
                self.accuse(f"{what} and no such instance is on disk")
            return
        if not is_told(node, out.key):
            return
        rows = [row for row in image.open_tasks if row.add.task_id == item.task_id]
        if not rows:
            self.accuse(f"{what} and is not on disk, or has ended")
            return
        # Of an instance that has ended, an activity of any generation may still be out.
        scheduled = [event_of(row.add.event) for row in rows]
        wanted = [event.input for event in scheduled if isinstance(event, TaskScheduled)]
        if item.input not in wanted:
            self.accuse(f"{what} with the input {item.input!r} and not {wanted}")

    def landed(self, commit: Commit) -> None:
        """Whoever is born has somebody on disk who asked for it."""
        for change in commit.changes:
            after = change.after
            if change.before is not None or after is None:
                continue
            parent = after.snapshot.identity.parent_key
            if parent is not None and parent not in self.images.by_key:
                self.accuse(f"'{after.instance_id}' was born of an instance that is not there")
