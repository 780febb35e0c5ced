"""What no SDK does by itself: activities nobody awaits, answers that come late, twice or wrong."""

import asyncio
import json
from collections.abc import Iterator

import grpc
import pytest
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client

from perdure.core.status import Status
from tests.e2e.bridge.bridging import BridgeProcess
from tests.e2e.hostile.hands import Hands, complete, schedule
from tests.kit.cluster import Cluster

pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def hands(server: BridgeProcess) -> Iterator[Hands]:
    with Hands(server, server.app_id) as hands:
        yield hands.open()


def test_an_activity_beside_the_end_of_its_workflow_still_runs(
    server: BridgeProcess, hands: Hands
) -> None:
    instance = f"{server.app_id}-forgets"
    hands.start(instance)
    hands.answer(hands.turn(), schedule(1, "afterwards", '"x"'), complete(2, '"over"'))
    assert server.output(instance) == "over"
    item = hands.activity()
    assert (item.activityRequest.name, item.activityRequest.input.value) == ("afterwards", '"x"')
    assert item.activityRequest.workflowInstance.instanceId == instance
    hands.result(item, '"done"')


def test_what_is_begun_beside_a_continue_as_new_is_begun_once(
    server: BridgeProcess, hands: Hands
) -> None:
    instance, listener = f"{server.app_id}-anew", f"{server.app_id}-listener"
    hands.start(listener)
    hands.answer(hands.turn())
    hands.start(instance)
    anew = complete(1, '"second"')
    anew.completeWorkflow.workflowStatus = Status.CONTINUED_AS_NEW
    told = hands.family.WorkflowAction(id=3)
    told.sendEvent.instance.instanceId = listener
    told.sendEvent.name = "news"
    hands.answer(hands.turn(), anew, schedule(2, "work", '"x"'), told)
    # The activity, the second generation's first turn and what the listener was told.
    items = {}
    for _ in range(3):
        item = hands.item()
        items[item.workflowRequest.instanceId or "activity"] = item
    assert set(items) == {"activity", instance, listener}
    hands.answer(items[instance])
    hands.result(items["activity"], '"y"')
    third = hands.turn()
    kinds = [event.WhichOneof("eventType") for event in third.workflowRequest.newEvents]
    assert kinds == ["workflowStarted", "taskCompleted"]
    hands.answer(third, complete(4, '"over"'))
    assert server.output(instance) == "over"
    news = [e for e in items[listener].workflowRequest.newEvents if e.HasField("eventRaised")]
    hands.answer(items[listener], complete(5, '"heard"'))
    assert server.output(listener) == "heard"
    path = f"/v1.0/workflows/dapr/{listener}/history"
    told_of = [each["type"] for each in server.request("GET", path).json()["events"]]
    assert (len(news), told_of.count("EventRaised")) == (1, 1)


def test_a_purge_spares_what_is_no_child(server: BridgeProcess, hands: Hands) -> None:
    instance, child, other = (f"{server.app_id}-{name}" for name in ("above", "below", "beside"))
    hands.start(instance)
    born, detached = hands.family.WorkflowAction(id=1), hands.family.WorkflowAction(id=2)
    born.createChildWorkflow.instanceId, born.createChildWorkflow.name = child, "flow"
    detached.createDetachedWorkflow.instanceId = other
    detached.createDetachedWorkflow.name = "flow"
    hands.answer(hands.turn(), born, detached)
    items = {item.workflowRequest.instanceId: item for item in (hands.turn(), hands.turn())}
    hands.answer(items[other])
    hands.answer(items[child], complete(1, '"done"'))
    # An activity beside the end runs on its own, and is nothing that would have to end first.
    hands.answer(hands.turn(), schedule(3, "afterwards"), complete(4, '"over"'))
    assert server.output(instance) == "over"
    assert "parentInstanceID" not in server.request("GET", f"/v1.0/workflows/dapr/{other}").json()
    purged = server.request("POST", f"/v1.0/workflows/dapr/{instance}/purge")
    assert purged.status == 202, purged
    seen = [
        server.request("GET", f"/v1.0/workflows/dapr/{each}").status
        for each in (instance, child, other)
    ]
    assert seen == [404, 404, 200]


def test_many_children_are_ended_with_a_reason_that_is_large(
    server: BridgeProcess, hands: Hands
) -> None:
    instance = f"{server.app_id}-crowd"
    children = [f"{instance}-{number}" for number in range(6)]
    hands.start(instance)
    births = []
    for number, child in enumerate(children):
        birth = hands.family.WorkflowAction(id=number)
        birth.createChildWorkflow.instanceId, birth.createChildWorkflow.name = child, "flow"
        births.append(birth)
    hands.answer(hands.turn(), *births)
    for _ in children:
        hands.answer(hands.turn())
    # All together they are more than Temporal takes in one message.
    reason = json.dumps("x" * 1_000_000)
    answer = server.request("POST", f"/v1.0/workflows/flow/{instance}/terminate", reason)
    assert answer.status in {200, 202}, answer
    for child in children:
        server.await_status(child, "TERMINATED")


def test_what_temporals_tools_have_paused_has_not_ended(
    cluster: Cluster, server: BridgeProcess, hands: Hands
) -> None:
    instance = f"{server.app_id}-paused"
    hands.start(instance)
    hands.answer(hands.turn())
    server.await_status(instance, "RUNNING")

    async def pause() -> None:
        client = await Client.connect(cluster.hostport)
        await client.workflow_service.pause_workflow_execution(
            PauseWorkflowExecutionRequest(namespace="default", workflow_id=instance)
        )

    asyncio.run(pause())
    server.await_status(instance, "SUSPENDED")
    path = f"/v1.0/workflows/dapr/{instance}"
    refused = server.request("POST", f"{path}/purge")
    assert (refused.status, "not yet completed" in refused.text) == (500, True), refused
    # It takes what it is told, as one that is suspended does.
    assert server.request("POST", f"{path}/raiseEvent/go", "1").status == 202
    assert server.request("POST", f"{path}/terminate").status == 202
    server.await_status(instance, "SUSPENDED")


def test_late_and_second_answers_are_dropped(server: BridgeProcess, hands: Hands) -> None:
    instance = f"{server.app_id}-twice"
    hands.start(instance)
    turn = hands.turn()
    hands.answer(turn, schedule(1, "work"))
    hands.answer(turn, complete(9, '"wrong"'))
    activity = hands.activity()
    hands.result(activity, '"right"')
    hands.result(activity, '"wrong"')
    second = hands.turn()
    results = [e for e in second.workflowRequest.newEvents if e.HasField("taskCompleted")]
    assert [event.taskCompleted.result.value for event in results] == ['"right"']
    hands.answer(turn, complete(9, '"wrong"'))
    hands.answer(second, complete(2, '"right"'))
    assert server.output(instance) == "right"


def test_an_answer_that_breaks_the_protocol_is_told_and_the_turn_is_tried_again(
    server: BridgeProcess, hands: Hands
) -> None:
    instance = f"{server.app_id}-nonsense"
    hands.start(instance)
    with pytest.raises(grpc.RpcError, match="unknown kind"):
        hands.answer(hands.turn(), hands.family.WorkflowAction(id=3))
    # This one only the run itself can see: two actions under one id.
    hands.answer(hands.turn(), schedule(1, "work"), schedule(1, "work"))
    hands.answer(hands.turn(), complete(1, '"sense"'))
    assert server.output(instance) == "sense"


def test_a_timer_of_a_far_century_is_kept_and_a_workflow_can_be_ended_beside_it(
    server: BridgeProcess, hands: Hands
) -> None:
    instance = f"{server.app_id}-patient"
    hands.start(instance)
    timer = hands.family.WorkflowAction(id=1)
    timer.createTimer.fireAt.seconds = 95_617_584_000  # in the year 5000
    hands.answer(hands.turn(), timer)
    server.await_status(instance, "RUNNING")
    assert server.request("POST", f"/v1.0/workflows/dapr/{instance}/terminate").status == 202
    server.await_status(instance, "TERMINATED")


def test_a_cancellation_by_temporals_tools_ends_a_workflow(
    cluster: Cluster, server: BridgeProcess, hands: Hands
) -> None:
    instance = f"{server.app_id}-cancelled"
    hands.start(instance)
    hands.answer(hands.turn())

    async def cancel() -> None:
        client = await Client.connect(cluster.hostport)
        await client.get_workflow_handle(instance).cancel()

    server.await_status(instance, "RUNNING")
    asyncio.run(cancel())
    server.await_status(instance, "CANCELED")
