"""Writes down what an operator wants to know; each single step only at level debug."""

import logging
from collections.abc import Sequence

from typing_extensions import override

from perdure.base.observer import (
    WORKER_GONE,
    Activity,
    Span,
    Subject,
    WorkKind,
)
from perdure.observability.logs import logger
from perdure.observability.outages import OutageObserver, Outages


class Journal(OutageObserver):
    """An observer that logs. Made when logging is set up, since it asks then for the level."""

    def __init__(self, outages: Outages | None = None) -> None:
        super().__init__(outages)
        self._log = logger("perdure.engine")
        # Steps are many: whether anybody reads them is asked once.
        self._tells_steps = logging.getLogger("perdure.engine").isEnabledFor(logging.DEBUG)

    @override
    def worker_connected(self, worker: str, *, app_id: str, dialect: str) -> None:
        self._log.info("worker connected", worker=worker, app_id=app_id, dialect=dialect)

    @override
    def leases_taken(self, *, count: int, from_the_dead: int) -> None:
        self._log.info("partitions taken", count=count, from_dead_nodes=from_the_dead)

    @override
    def leases_lost(self, *, count: int) -> None:
        self._log.warning("partitions lost", count=count)

    @override
    def worker_disconnected(self, worker: str, *, app_id: str, outstanding: int) -> None:
        self._log.info("worker disconnected", worker=worker, app_id=app_id, outstanding=outstanding)

    @override
    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None:
        self._log.warning(
            "instance stalled", **_of(subject), reason=reason, description=description
        )

    @override
    def instance_suspended(self, subject: Subject, *, at_us: int) -> None:
        self._log.info("instance suspended", **_of(subject))

    @override
    def instance_resumed(self, subject: Subject, *, at_us: int) -> None:
        self._log.info("instance resumed", **_of(subject))

    @override
    def turn_retried(self, subject: Subject, *, attempt: int, reason: str) -> None:
        if reason == WORKER_GONE:
            self._tell("turn will be tried again", subject, attempt=attempt, reason=reason)
        else:
            self._log.warning(
                "turn will be tried again", **_of(subject), attempt=attempt, reason=reason
            )

    @override
    def activity_retried(self, subject: Subject, activity: Activity, *, reason: str) -> None:
        # An activity that runs twice is what people ask about afterwards.
        self._log.info(
            "activity will be handed out again",
            **_of(subject),
            **_of_activity(activity),
            reason=reason,
        )

    @override
    def store_went_away(self, where: str, error: BaseException) -> None:
        self._log.error("the store is away", where=where, error=str(error))

    @override
    def store_is_still_away(self, where: str, error: BaseException) -> None:
        self._log.debug("the store is still away", where=where, error=str(error))

    @override
    def store_fails_still(self, where: str, error: BaseException) -> None:
        self._log.debug("fault, as before", where=where, error=str(error))

    @override
    def store_came_back(self, away_s: float) -> None:
        self._log.warning("the store is back", away_seconds=round(away_s, 1))

    @override
    def other_fault(self, where: str, error: BaseException) -> None:
        self._log.error("fault", where=where, error=str(error), exc_info=error)

    @override
    def instance_created(self, subject: Subject, *, at_us: int, span: Span | None) -> None:
        self._tell("instance created", subject)

    @override
    def instance_started(self, subject: Subject, *, at_us: int, waited_us: int) -> None:
        self._tell("instance started", subject, waited_us=waited_us)

    @override
    def instance_finished(
        self,
        subject: Subject,
        *,
        status: str,
        started_at_us: int,
        completed_at_us: int,
        patches: Sequence[str] = (),
        span: Span | None,
    ) -> None:
        took_us = completed_at_us - started_at_us
        self._tell("instance finished", subject, status=status, took_us=took_us)

    @override
    def instance_purged(self, subject: Subject, *, at_us: int, by_retention: bool) -> None:
        self._tell("instance purged", subject, by_retention=by_retention)

    @override
    def event_received(
        self, subject: Subject, *, at_us: int, event_name: str, size_bytes: int
    ) -> None:
        self._tell("event received", subject, event_name=event_name, size_bytes=size_bytes)

    @override
    def activity_handed_out(self, subject: Subject, activity: Activity, *, waited_us: int) -> None:
        self._tell(
            "activity handed out", subject, **_of_activity(activity), attempt=activity.attempt
        )

    @override
    def activity_finished(
        self,
        subject: Subject,
        activity: Activity,
        *,
        failed: bool,
        handed_out_at_us: int,
        finished_at_us: int,
        span: Span | None,
    ) -> None:
        took_us = finished_at_us - handed_out_at_us
        self._tell(
            "activity finished", subject, **_of_activity(activity), failed=failed, took_us=took_us
        )

    @override
    def timer_fired(
        self,
        subject: Subject,
        *,
        timer_id: int,
        created_at_us: int,
        fire_at_us: int,
        fired_at_us: int,
        span: Span | None,
    ) -> None:
        self._tell("timer fired", subject, timer_id=timer_id, late_us=fired_at_us - fire_at_us)

    @override
    def late_completion_dropped(self, kind: WorkKind, *, instance_id: str, reason: str) -> None:
        self._log.debug(
            "late completion dropped", kind=kind, instance_id=instance_id, reason=reason
        )

    def _tell(self, what: str, subject: Subject, **details: object) -> None:
        if self._tells_steps:
            self._log.debug(what, **_of(subject), **details)


def _of(subject: Subject) -> dict[str, object]:
    return {
        "instance_id": subject.instance_id,
        "workflow": subject.name,
        "app_id": subject.app_id,
    }


def _of_activity(activity: Activity) -> dict[str, object]:
    return {"activity": activity.name, "task_id": activity.task_id}
