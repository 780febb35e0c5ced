"""What a scrape gets: Dapr's names as Dapr writes them, and ours."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from perdure.base.observer import Activity, Subject
from perdure.observability.metrics import NAMES_MAX, OTHER, Metrics

SUBJECT = Subject("i-1", "order", "shop")
ACTIVITY = Activity("charge", 1, "bank", scheduled_at_us=0)
DAPR = "dapr_runtime_workflow_"


def made() -> Metrics:
    return Metrics(app_id="shop", namespace="default", version="0.1.0")


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    # The parser gives every counter the `_total` that Dapr's do not have.
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name.replace("_count_total", "_count"), frozenset(sample.labels.items())): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, frozenset(labels.items())))


def test_a_finished_workflow_counts_once() -> None:
    metrics = made()
    for status in ("CONTINUED_AS_NEW", "CONTINUED_AS_NEW", "COMPLETED"):
        metrics.instance_finished(
            SUBJECT, status=status, started_at_us=0, completed_at_us=25_000, span=None
        )
    labels = {
        "app_id": "shop",
        "namespace": "default",
        "workflow_name": "order",
        "status": "success",
    }
    assert value(metrics, f"{DAPR}execution_count", **labels) == 1
    assert value(metrics, f"{DAPR}execution_latency_sum", **labels) == 25.0


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        ("COMPLETED", "success"),
        ("FAILED", "failed"),
        ("CANCELED", "failed"),
        ("TERMINATED", "terminated"),
    ],
)
def test_every_outcome_has_its_tag(status: str, tag: str) -> None:
    metrics = made()
    metrics.instance_finished(SUBJECT, status=status, started_at_us=0, completed_at_us=1, span=None)
    assert 'workflow_name="order"' in metrics.render().decode()
    labels = {"app_id": "shop", "namespace": "default", "workflow_name": "order"}
    assert value(metrics, f"{DAPR}execution_count", **labels, status=tag) == 1


def test_a_turn_that_is_tried_again_is_recoverable() -> None:
    metrics = made()
    metrics.turn_retried(SUBJECT, attempt=1, reason="the worker went away")
    labels = {"app_id": "shop", "namespace": "default", "workflow_name": "order"}
    assert value(metrics, f"{DAPR}execution_count", **labels, status="recoverable") == 1


def test_operations() -> None:
    metrics = made()
    metrics.operation("create_workflow", app_id="shop", succeeded=True, latency_us=2_500)
    metrics.operation("create_workflow", app_id="shop", succeeded=False, latency_us=1)
    labels = {"app_id": "shop", "namespace": "default", "operation": "create_workflow"}
    assert value(metrics, f"{DAPR}operation_count", **labels, status="success") == 1
    assert value(metrics, f"{DAPR}operation_count", **labels, status="failed") == 1
    bucket = f"{DAPR}operation_latency_bucket"
    assert value(metrics, bucket, **labels, status="success", le="2.0") == 0
    assert value(metrics, bucket, **labels, status="success", le="3.0") == 1


def test_activities_are_counted_for_the_app_that_runs_them() -> None:
    metrics = made()
    metrics.activity_handed_out(SUBJECT, ACTIVITY, waited_us=3_000)
    metrics.activity_retried(SUBJECT, ACTIVITY, reason="the worker went away")
    metrics.activity_finished(
        SUBJECT, ACTIVITY, failed=True, handed_out_at_us=0, finished_at_us=7_000, span=None
    )
    labels = {"app_id": "bank", "namespace": "default", "activity_name": "charge"}
    assert value(metrics, f"{DAPR}activity_operation_count", **labels, status="success") == 1
    assert value(metrics, f"{DAPR}activity_execution_count", **labels, status="recoverable") == 1
    assert value(metrics, f"{DAPR}activity_execution_count", **labels, status="failed") == 1
    latency = f"{DAPR}activity_execution_latency_sum"
    assert value(metrics, latency, **labels, status="failed") == 7.0


def test_the_rest_of_the_reports() -> None:
    metrics = made()
    metrics.instance_started(SUBJECT, at_us=10, waited_us=1_000)
    metrics.instance_purged(SUBJECT, at_us=1, by_retention=True)
    metrics.instance_stalled(SUBJECT, at_us=1, reason="PATCH_MISMATCH", description="")
    metrics.event_received(SUBJECT, at_us=1, event_name="go", size_bytes=3)
    metrics.turn_handed_out(SUBJECT, waited_us=2_000_000)
    metrics.turn_landed(SUBJECT, latency_us=1_000_000)
    metrics.timer_fired(
        SUBJECT, timer_id=1, created_at_us=0, fire_at_us=5, fired_at_us=1_000_005, span=None
    )
    metrics.late_completion_dropped("turn", instance_id="i-1", reason="finished")
    metrics.payload_size(SUBJECT, activity=None, ratio=0.5)
    metrics.payload_size(SUBJECT, activity="charge", ratio=0.25)
    metrics.worker_connected("w", app_id="shop", dialect="dapr")
    metrics.commit_landed(entries=40, duration_us=2_000)
    metrics.fault("timers", RuntimeError("x"))
    expected = {
        ("perdure_instances_purged_total", "by", "retention"): 1,
        ("perdure_stalls_total", "reason", "PATCH_MISMATCH"): 1,
        ("perdure_late_completions_dropped_total", "kind", "turn"): 1,
        ("perdure_worker_streams_total", "dialect", "dapr"): 1,
        ("perdure_faults_total", "error", "RuntimeError"): 1,
    }
    found = samples(metrics)
    assert {key: found[(key[0], frozenset({key[1:]}))] for key in expected} == expected
    assert found[("perdure_timer_delay_seconds_sum", frozenset())] == 1.0
    assert found[("perdure_turn_wait_seconds_sum", frozenset())] == 2.0
    assert found[("perdure_turn_seconds_sum", frozenset())] == 1.0
    assert found[("perdure_commit_entries_sum", frozenset())] == 40
    assert found[("perdure_commit_seconds_sum", frozenset())] == 0.002
    assert found[("perdure_events_received_total", frozenset())] == 1
    workflow = {"app_id": "shop", "namespace": "default", "workflow_name": "order"}
    activity = {"app_id": "shop", "namespace": "default", "activity_name": "charge"}
    assert value(metrics, f"{DAPR}scheduling_latency_sum", **workflow) == 1.0
    assert value(metrics, f"{DAPR}payload_size_ratio_sum", **workflow) == 0.5
    assert value(metrics, f"{DAPR}activity_payload_size_ratio_sum", **activity) == 0.25


def test_the_page_names_dapr_counters_as_dapr_does() -> None:
    metrics = made()
    metrics.operation("get_workflow", app_id="shop", succeeded=True, latency_us=1)
    page = metrics.render().decode()
    assert f"# TYPE {DAPR}operation_count counter\n" in page
    assert f"\n{DAPR}operation_count{{" in page
    assert f"{DAPR}operation_count_total" not in page
    assert "_created" not in page


def test_a_name_cannot_forge_a_line() -> None:
    metrics = made()
    name = f'x"\n{DAPR}execution_count_total 9\n'
    metrics.turn_retried(Subject("i", name, "shop"), attempt=1, reason="")
    labels = {"app_id": "shop", "namespace": "default", "workflow_name": name}
    assert value(metrics, f"{DAPR}execution_count", **labels, status="recoverable") == 1


def test_made_up_names_do_not_fill_the_memory() -> None:
    metrics = made()
    for number in range(NAMES_MAX + 50):
        metrics.turn_retried(Subject("i", f"w{number}", "shop"), attempt=1, reason="")
    labels = {"app_id": "shop", "namespace": "default", "workflow_name": OTHER}
    # One of the names is that of the app.
    assert value(metrics, f"{DAPR}execution_count", **labels, status="recoverable") == 51


async def test_the_page_tells_of_the_process_and_the_build() -> None:
    page = (await made().page()).decode()
    assert "process_resident_memory_bytes " in page
    assert 'perdure_build_info{app_id="shop",version="0.1.0"} 1.0' in page


def test_two_servers_in_one_process_do_not_share_numbers() -> None:
    one, two = made(), made()
    one.fault("timers", RuntimeError("x"))
    assert value(two, "perdure_faults_total", error="RuntimeError") is None
