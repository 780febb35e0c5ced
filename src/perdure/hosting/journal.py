"""What an engine in a program's own process writes to its log: what somebody should look at."""

import logging

from typing_extensions import override

from perdure.base.observer import WORKER_GONE, NullObserver, Subject
from perdure.observability.outages import Outages

_log = logging.getLogger("perdure.engine")


class HostJournal(NullObserver):
    """An observer that logs as any library does: through `logging`, and leaves the rest to it."""

    def __init__(self) -> None:
        self._outages = Outages()

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
        if self._outages.covers(error):
            _log.debug("%s: the store is still away: %s", where, error)
        elif self._outages.begins(error):
            _log.error("the store is away: %s", error)
        else:
            _log.error("%s: %s", where, error, exc_info=error)

    @override
    def commit_landed(self, *, entries: int, duration_us: int) -> None:
        self._store_is_there()

    @override
    def leases_renewed(self) -> None:
        self._store_is_there()

    def _store_is_there(self) -> None:
        away_s = self._outages.ended()
        if away_s is not None:
            _log.warning("the store is back after %.1f s", away_s)
