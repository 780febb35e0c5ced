"""What of the engine's reports is written down, and at which level."""

import io
import json

from perdure.base.observer import WORKER_GONE, Activity, Observer, Subject
from perdure.observability.journal import Journal
from perdure.observability.logs import logging_to

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
