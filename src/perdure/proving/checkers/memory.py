"""What an engine holds in memory is what is on disk: the state is the fold of the history."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from perdure.core.turn import takable
from perdure.engine.residents import Resident
from perdure.proving.checkers.base import Checker, is_told
from perdure.proving.images import Image, event_of
from perdure.proving.node import HEARS_US, Node
from perdure.store.port import InboxRow
from perdure.wire.work_items import events_of


class Memory(Checker):
    """Memory follows the disk."""

    promise = "memory"

    def told(self, node: Node, keys: Sequence[int]) -> None:
        if self.auditor.ways is not None:
            return  # what was asked for is read anew, a moment later
        for key in keys:
            image = self.images.by_key.get(key)
            if image is not None and is_told(node, key):
                self._same(node, image)

    def swept(self, nodes: Iterable[Node]) -> None:
        for stray in self.images.strays():
            self.accuse(stray)
        for node in nodes:
            for image in self.images.by_key.values():
                if is_told(node, image.key):
                    self._same(node, image)

    def _same(self, node: Node, image: Image) -> None:
        resident = node.engine.resident(image.instance_id)
        if resident is None or resident.key != image.key:
            if resident is not None:
                self.accuse(f"{node.name} holds '{image.instance_id}' of an earlier life")
            return
        what = f"{node.name} holds '{image.instance_id}'"
        if resident.snapshot() != replace(image.snapshot, inbox_length=len(resident.inbox)):
            self.accuse(f"{what} with another head than is on disk")
        if resident.state != image.state():
            self.accuse(f"{what} in another state than its history tells")
        if events_of(resident.past, resident.ends) != [row.event for row in image.history]:
            self.accuse(f"{what} with another history than is on disk")
        held = {seq: item.add for seq, item in resident.inbox.items()}
        # What no turn should see is let go of at once, and on disk a moment later.
        wanted = {
            row.seq: row.add for row in image.inbox if row.seq in held or not _is_void(image, row)
        }
        if held != wanted and not (held.items() <= wanted.items() and self._is_busy(resident)):
            self.accuse(f"{what} with another inbox than is on disk")

    def _is_busy(self, resident: Resident) -> bool:
        """Tell whether an instance has something to do before it is looked at, or just had.

        Where news of an event was lost, its owner comes to know of it when it has nothing else.
        """
        if self.auditor.ways is None:
            return False
        changed_us = self.auditor.changed_us.get(resident.key, -HEARS_US)
        is_just_done = self.auditor.now_us - changed_us < HEARS_US
        return is_just_done or bool(resident.turn or resident.inbox)


def _is_void(image: Image, row: InboxRow) -> bool:
    """Tell whether an event belongs to an earlier generation, or is awaited by nobody."""
    if row.add.generation not in {0, image.generation}:
        return True
    rows = [each for each in image.inbox if each.add.generation in {0, image.generation}]
    events = [event_of(each.add.event) for each in rows]
    return not takable(image.state(), events)[rows.index(row)]
