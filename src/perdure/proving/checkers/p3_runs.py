"""P3: an activity runs again only if its worker vanished or the process did, and it is counted."""

from collections.abc import Iterable
from typing import Final

from perdure.base.time import SECOND_US
from perdure.proving.auditor import HandOut
from perdure.proving.checkers.base import Checker
from perdure.proving.disk import Commit
from perdure.proving.images import Image
from perdure.proving.items import ActivityItem
from perdure.proving.node import Node

_NOTES_US: Final = SECOND_US  # hand-outs are noted on disk a moment later


class Runs(Checker):
    """Every extra run has its reason."""

    promise = "P3"

    def handed_out(self, node: Node, out: HandOut) -> None:
        if not isinstance(out.item, ActivityItem) or out.key in self.auditor.tainted:
            return
        earlier = self.auditor.tasks_out.get((out.key, out.generation, out.item.task_id), ())
        for one in earlier:
            same = one.node == out.node and one.term == out.term
            if one is not out and same and one.link in node.open_links():
                what = f"activity {out.item.task_id} of '{out.item.instance_id}'"
                self.accuse(f"{what} was handed out again while {one.link} has it")

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            if change.after is not None and change.key not in self.auditor.tainted:
                self._counted(change.after)

    def _counted(self, image: Image) -> None:
        for row in image.tasks:
            name = (row.key, row.add.generation, row.add.task_id)
            times = len(self.auditor.tasks_out.get(name, ()))
            what = f"activity {row.add.task_id} of '{image.instance_id}'"
            # What a node had on its way out when it came to stand still may never have left it.
            if row.attempts > times and self.auditor.ways is None:
                self.accuse(f"{what} counts {row.attempts} runs and was handed out {times} times")
            ended = row.finished_at_us is not None
            if ended and not times:
                self.accuse(f"{what} has ended and was never handed out")

    def swept(self, nodes: Iterable[Node]) -> None:
        """With nothing lost in between, the count is exact."""
        for node in nodes:
            if not (node.store.in_doubt or node.store.has_failed or node.counts_inexactly()):
                for name, outs in self.auditor.tasks_out.items():
                    settled_us = self.auditor.now_us - _NOTES_US
                    if all(o.node == node.home.name and o.at_us < settled_us for o in outs):
                        self._exactly(name, len(outs))

    def _exactly(self, name: tuple[int, int, int], times: int) -> None:
        key, generation, task_id = name
        image = self.images.by_key.get(key)
        if image is None or image.generation != generation or key in self.auditor.tainted:
            return
        rows = [row for row in image.tasks if row.add.task_id == task_id]
        if rows and rows[-1].attempts != times:
            what = f"activity {task_id} of '{image.instance_id}'"
            self.accuse(f"{what} counts {rows[-1].attempts} runs and was handed out {times} times")
