"""One trace from the caller's header to the activity, as a collector receives it."""

import queue
from pathlib import Path
from typing import Any

from tests.conformance.api.grpc_worker import complete, schedule, timer
from tests.conformance.app.collector import collector
from tests.conformance.app.running import DEADLINE_S, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


def spans(received: "queue.Queue[Any]") -> dict[str, Any]:
    """Every span that has arrived, by name."""
    found: dict[str, Any] = {}
    while not received.empty():
        for resource in received.get_nowait().resource_spans:
            for scope in resource.scope_spans:
                found |= {span.name: span for span in scope.spans}
    return found


async def test_a_trace_from_start_to_activity(tmp_path: Path) -> None:
    with collector() as (endpoint, received):
        flags = {"otel_endpoint": endpoint, "app_id": "shop"}
        async with running(tmp_path, flags=flags) as server, server.worker() as worker:
            await server.http.post(
                "/v1.0/workflows/order/i-1/start",
                headers={"traceparent": f"00-{TRACE}-{CALLER}-01"},
            )
            await worker.answer(await worker.turn(), schedule(1, "charge"))
            activity = await worker.activity()
            await worker.result(activity, "42")
            await worker.answer(await worker.turn(), timer(2, 1))
            await server.http.post("/v1.0/workflows/order/i-1/raiseEvent/go", content="1")
            turn = await worker.turn()
            if len(turn.workflowRequest.newEvents) == 2:
                # The timer and the event came one by one.
                await worker.answer(turn)
                turn = await worker.turn()
            await worker.answer(turn, complete(3, None))
            await server.http.get("/v1.0/workflows/order/i-1", headers={"Prefer": "wait=30"})
        found = spans(received)
    assert set(found) == {
        "create_orchestration||order",
        "orchestration||order",
        "activity||charge",
        "timer",
    }
    assert {span.trace_id.hex() for span in found.values()} == {TRACE}
    created, whole = found["create_orchestration||order"], found["orchestration||order"]
    assert created.parent_span_id.hex() == CALLER
    assert whole.parent_span_id == created.span_id
    assert found["activity||charge"].parent_span_id == whole.span_id
    assert found["timer"].parent_span_id == whole.span_id
    assert [event.name for event in whole.events] == ["Received external event"]
    # What the worker was sent is the context of the very span that was exported.
    sent = activity.activityRequest.parentTraceContext.traceParent
    assert sent == f"00-{TRACE}-{found['activity||charge'].span_id.hex()}-01"


async def test_without_a_header_a_trace_begins_here(tmp_path: Path) -> None:
    with collector() as (endpoint, received):
        flags = {"otel_endpoint": endpoint}
        async with running(tmp_path, flags=flags) as server:
            await server.http.post("/v1.0/workflows/order/i-1/start")
        [span] = spans(received).values()
    assert span.parent_span_id == b""
    assert len(span.trace_id) == 16


async def test_a_collector_that_is_away_stops_nothing(tmp_path: Path) -> None:
    with collector() as (endpoint, _):
        pass
    flags = {"otel_endpoint": endpoint, "dapr_graceful_shutdown_seconds": 1}
    async with running(tmp_path, flags=flags) as server, server.worker() as worker:
        await server.http.post("/v1.0/workflows/order/i-1/start")
        await worker.finish_next()
        done = await server.http.get(
            "/v1.0/workflows/order/i-1", headers={"Prefer": f"wait={DEADLINE_S:.0f}"}
        )
        assert done.json()["runtimeStatus"] == "COMPLETED"
