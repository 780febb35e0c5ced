"""What an engine in a program's own process writes to its log: what somebody should look at."""

import logging

from typing_extensions import override

from perdure.base.observer import WORKER_GONE, Subject
from perdure.observability.outages import OutageObserver

_log = logging.getLogger("perdure.engine")


class HostJournal(OutageObserver):
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
    def store_went_away(self, where: str, error: BaseException) -> None:
        _log.error("the store is away: %s", error)

    @override
    def store_is_still_away(self, where: str, error: BaseException) -> None:
        _log.debug("%s: the store is still away: %s", where, error)

    @override
    def store_fails_still(self, where: str, error: BaseException) -> None:
        _log.debug("%s, as before: %s", where, error)

    @override
    def store_came_back(self, away_s: float) -> None:
        _log.warning("the store is back after %.1f s", away_s)

    @override
    def other_fault(self, where: str, error: BaseException) -> None:
        _log.error("%s: %s", where, error, exc_info=error)
