"""What of the engine's reports is written down, and at which level."""

import io
import json

from perdure.base.errors import (
    StoreAway,
    StoreError,
    StoreFailed,
    StoreUnavailable,
    StoreUnsure,
)
from perdure.base.observer import WORKER_GONE, Activity, Observer, Subject
from perdure.observability.journal import Journal
from perdure.observability.logs import logging_to
from perdure.observability.outages import Outages

SUBJECT = Subject("i-1", "order", "shop")
ACTIVITY = Activity("charge", 2, "bank", scheduled_at_us=0)


def report_everything(observer: Observer) -> None:
    observer.worker_connected("127.0.0.1:5", app_id="shop", dialect="dapr")
    observer.worker_disconnected("127.0.0.1:5", app_id="shop", outstanding=2)
    observer.instance_stalled(SUBJECT, at_us=1, reason="PATCH_MISMATCH", description="d")
    observer.instance_suspended(SUBJECT, at_us=1)
    observer.instance_resumed(SUBJECT, at_us=1)
    observer.turn_retried(SUBJECT, attempt=1, reason="nonsense")
    observer.turn_retried(SUBJECT, attempt=1, reason=WORKER_GONE)
    observer.activity_retried(SUBJECT, ACTIVITY, reason=WORKER_GONE)
    observer.fault("timers", RuntimeError("odd"))
    observer.instance_created(SUBJECT, at_us=1, span=None)
    observer.instance_started(SUBJECT, at_us=1, waited_us=1)
    observer.instance_finished(
        SUBJECT, status="COMPLETED", started_at_us=1, completed_at_us=3, span=None
    )
    observer.instance_purged(SUBJECT, at_us=1, by_retention=True)
    observer.event_received(SUBJECT, at_us=1, event_name="go", size_bytes=3)
    observer.activity_handed_out(SUBJECT, ACTIVITY, waited_us=1)
    observer.activity_finished(
        SUBJECT, ACTIVITY, failed=False, handed_out_at_us=1, finished_at_us=4, span=None
    )
    observer.timer_fired(
        SUBJECT, timer_id=1, created_at_us=0, fire_at_us=1, fired_at_us=4, span=None
    )
    observer.late_completion_dropped("turn", instance_id="i-1", reason="finished")


def told(level: str) -> list[tuple[str, str]]:
    stream = io.StringIO()
    with logging_to(stream, level=level, as_json=True, app_id="shop", version="1"):
        report_everything(Journal())
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [(line["level"], line["msg"]) for line in found]


ALWAYS = [
    ("info", "worker connected"),
    ("info", "worker disconnected"),
    ("warn", "instance stalled"),
    ("info", "instance suspended"),
    ("info", "instance resumed"),
    ("warn", "turn will be tried again"),
    ("info", "activity will be handed out again"),
    ("error", "fault"),
]


def test_what_an_operator_wants_to_know() -> None:
    assert told("info") == ALWAYS


def test_each_step_only_for_debugging() -> None:
    assert told("debug") == [
        *ALWAYS[:6],
        ("debug", "turn will be tried again"),
        *ALWAYS[6:],
        ("debug", "instance created"),
        ("debug", "instance started"),
        ("debug", "instance finished"),
        ("debug", "instance purged"),
        ("debug", "event received"),
        ("debug", "activity handed out"),
        ("debug", "activity finished"),
        ("debug", "timer fired"),
        ("debug", "late completion dropped"),
    ]


def test_a_store_that_is_away_is_told_once_and_once_when_it_is_back() -> None:
    moments_s = iter([100.0, 112.34, 200.0, 201.0])
    stream = io.StringIO()
    with logging_to(stream, level="info", as_json=True, app_id="shop", version="1"):
        journal = Journal(Outages(lambda: next(moments_s)))
        journal.commit_landed(entries=1, duration_us=1)
        for attempt in range(3):
            journal.fault(f"landing, attempt {attempt}", StoreAway("pg: cannot be reached"))
            journal.fault("seeing to leases", StoreUnsure("pg: went away"))
        journal.leases_renewed()
        journal.commit_landed(entries=1, duration_us=1)
        journal.fault("seeing to leases", StoreUnsure("pg: went away"))
        journal.commit_landed(entries=1, duration_us=1)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["level"], line["msg"]) for line in lines] == [
        ("error", "the store is away"),
        ("warn", "the store is back"),
    ] * 2
    assert (lines[0]["where"], lines[0]["error"]) == (
        "landing, attempt 0",
        "pg: cannot be reached",
    )
    assert [lines[1]["away_seconds"], lines[3]["away_seconds"]] == [12.3, 1.0]
    assert all("exception" not in line for line in lines)


def test_other_trouble_of_a_store_keeps_its_traceback_while_it_is_away() -> None:
    stream = io.StringIO()
    with logging_to(stream, level="info", as_json=True, app_id="shop", version="1"):
        journal = Journal()
        journal.fault("timers", StoreAway("away"))
        for error in (StoreFailed("disk full"), StoreUnavailable("too far behind")):
            try:
                raise error
            except StoreError as raised:
                journal.fault("timers", raised)
    _, *others = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["msg"] for line in others] == ["fault", "fault"]
    assert all("Traceback" in line["exception"] for line in others)
