"""What an engine in a program's own process writes to its log: what somebody should look at."""

import logging

from typing_extensions import override

from perdure.base.observer import WORKER_GONE, NullObserver, Subject

_log = logging.getLogger("perdure.engine")


class HostJournal(NullObserver):
    """An observer that logs as any library does: through `logging`, and leaves the rest to it."""

    @override
    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None:
        _log.warning("workflow %s is stalled: %s", subject.instance_id, description)

    @override
    def turn_retried(self, subject: Subject, *, attempt: int, reason: str) -> None:
        level = logging.INFO if reason == WORKER_GONE else logging.WARNING
        _log.log(level, "a turn of %s is tried again: %s", subject.instance_id, reason)

    @override
    def fault(self, where: str, error: BaseException) -> None:
        _log.error("%s: %s", where, error, exc_info=error)
