"""P7: a worker is sent the bytes that were committed, and they are a legal run of its program."""

from perdure.core.events import EventRaised, Kind, TaskCompleted, TaskFailed, TimerFired
from perdure.core.status import Status
from perdure.proving.auditor import Auditor, HandOut
from perdure.proving.checkers.base import Accuse, Checker, is_told
from perdure.proving.disk import Commit
from perdure.proving.flow import Strayed
from perdure.proving.images import Image
from perdure.proving.items import TurnItem
from perdure.proving.node import Node
from perdure.proving.steps import decide


class Replay(Checker):
    """Histories reach workers whole, and follow from what workers decided."""

    promise = "P7"

    def __init__(self, auditor: Auditor, accuse: Accuse) -> None:
        """Begin without early turns: those whose cause is not on disk yet, by instance."""
        super().__init__(auditor, accuse)
        self._early: dict[int, list[bytes]] = {}

    def handed_out(self, node: Node, out: HandOut) -> None:
        image = self.images.by_key.get(out.key)
        if isinstance(out.item, TurnItem):
            self._early.pop(out.key, None)
        if image is None or not isinstance(out.item, TurnItem) or not is_told(node, out.key):
            return
        what = f"a turn of '{image.instance_id}' was handed out"
        stored = [row.event for row in image.history]
        cached = out.item.cached or 0
        if [*out.item.past_bytes] != stored[cached:]:
            self.accuse(f"{what} with another history than is on disk")
        early = _early(image, out.item)
        if early:
            self._early[image.key] = early
        rows = iter([row.add.event for row in image.inbox])
        shown = [event for event in out.item.new_bytes[1:] if event not in early]
        if not all(event in rows for event in shown):
            self.accuse(f"{what} with other events than are in its inbox, or in another order")
        waits = [row for row in image.inbox if row.add.generation in {0, image.generation}]
        if waits and len(out.item.new_bytes) == 1:
            self.accuse(f"{what} with nothing new")

    def strayed(self, instance_id: str, text: str) -> None:
        """Hear from a worker that a history is not one of its program."""
        image = self.images.by_id.get(instance_id)
        if image is None or image.key not in self.auditor.tainted:
            self.accuse(f"the history of '{instance_id}' strays from its program: {text}")

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            after = change.after
            if after is None or after.key in self.auditor.tainted:
                continue
            self._kept_its_word(change.before, after)
            if not after.finished:
                continue
            if change.before is None or not change.before.finished:
                self._came_to_its_end(after)

    def _kept_its_word(self, before: Image | None, after: Image) -> None:
        """Look whether a turn that was handed out early has landed with what it was shown."""
        shown = self._early.get(after.key)
        if shown is None or before is None:
            return
        if before.generation != after.generation:
            del self._early[after.key]  # its history is not kept
            return
        added = after.history[len(before.history) :]
        if any(row.kind == Kind.WORKFLOW_STARTED for row in added):
            del self._early[after.key]
            landed = [row.event for row in added]
            if not all(event in landed for event in shown):
                self.accuse(f"a turn of '{after.instance_id}' landed without its cause")

    def _came_to_its_end(self, image: Image) -> None:
        """Run the program once more over the whole history: it must come to the same end."""
        phase = Status(image.snapshot.head.phase)
        if phase is Status.TERMINATED:
            return
        past = image.past()
        try:
            decided = decide(past[:-1], ())
        except Strayed as fault:
            self.accuse(f"the history of '{image.instance_id}' strays from its program: {fault}")
            return
        ends = [action for action in decided.actions if action.WhichOneof("kind") == "complete"]
        if not ends or ends[0].complete.status != phase:
            self.accuse(f"'{image.instance_id}' ended {phase.name}, and its program does not")
        elif ends[0].complete.result.value != (_result(image) or ""):
            self.accuse(f"'{image.instance_id}' has another output than its program gives")


def _early(image: Image, item: TurnItem) -> list[bytes]:
    """Return the events in a turn that are still on their way to the disk."""
    inbox = [row.add.event for row in image.inbox]
    waits = {row.add.task_id for row in image.open_tasks if row.add.generation == image.generation}
    early = []
    for event, data in zip(item.new[1:], item.new_bytes[1:], strict=True):
        match event:
            case TaskCompleted(task_id=task_id) | TaskFailed(task_id=task_id):
                comes = task_id in waits
            case TimerFired(timer_id=timer_id):
                comes = timer_id in image.state().open_timers
            case EventRaised():
                comes = len(item.new) == 2 and not image.open_tasks and not image.inbox  # noqa: PLR2004 - its beginning and the event
            case _:
                comes = False
        if comes and data not in inbox:
            early.append(data)
    return early


def _result(image: Image) -> str | None:
    last = image.history[-1]
    assert last.kind == Kind.EXECUTION_COMPLETED, "what has finished ends with its completion"
    completed = image.state().completed
    return None if completed is None else completed.result
