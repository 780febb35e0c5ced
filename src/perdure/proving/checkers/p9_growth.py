"""P9: what has ended leaves nothing behind, and what is idle costs nothing."""

from collections.abc import Callable, Iterable, Mapping

from perdure.core.status import Status
from perdure.proving.auditor import Auditor
from perdure.proving.checkers.base import Accuse, Checker
from perdure.proving.disk import Commit
from perdure.proving.images import Image
from perdure.proving.node import Node

_SLACK: int = 64  # residents beyond the bound that are in use, or were just born


class Growth(Checker):
    """Rows go with what they were for; memory is bounded."""

    promise = "P9"

    def __init__(
        self,
        auditor: Auditor,
        accuse: Accuse,
        retention_us: Mapping[Status, int],
        now_us: Callable[[], int],
    ) -> None:
        """Know for how long finished instances are kept, and what time it is."""
        super().__init__(auditor, accuse)
        self._retention_us = retention_us
        self._now_us = now_us

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            if change.after is not None and change.after.finished:
                self._left_behind(change.after)

    def _left_behind(self, image: Image) -> None:
        name = f"'{image.instance_id}' has ended"
        if image.inbox:
            self.accuse(f"{name} and keeps {len(image.inbox)} events in its inbox")
        if image.timers:
            self.accuse(f"{name} and keeps {len(image.timers)} timers")
        if image.snapshot.head.phase == Status.TERMINATED and image.open_tasks:
            self.accuse(f"{name} by a terminate and has still {len(image.open_tasks)} to run")

    def swept(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            most = node.engine.settings.residents_max
            there = node.engine.figures()["residents"]
            busy = sum(not image.finished for image in self.images.by_key.values())
            if there > most + busy + _SLACK:
                self.accuse(f"{node.name} holds {there} instances, and {most} are allowed")

    def ended(self, nodes: Iterable[Node]) -> None:
        del nodes
        for image in self.images.by_key.values():
            keep_us = self._retention_us.get(Status(image.snapshot.head.phase))
            done_us = image.snapshot.head.completed_at_us
            if keep_us is not None and done_us is not None and done_us + keep_us < self._now_us():
                self.accuse(f"'{image.instance_id}' has been kept longer than it should")
            if image.open_tasks:
                self.accuse(f"'{image.instance_id}' has ended and has activities that have not")
