"""Workers of a real server that answer nonsense, twice, late or never: only they come to harm."""

import time
from random import Random

import grpc
import pytest

from tests.e2e.hostile.hands import HUB, Hands, complete, fresh, going_on, schedule, whole
from tests.e2e.hostile.test_grpc import ends
from tests.e2e.serving import Server

Code = grpc.StatusCode
ANSWERED = {Code.OK, Code.INVALID_ARGUMENT}


def history(server: Server, instance: str) -> list[str]:
    answer = server.request("GET", f"/v1.0/workflows/dapr/{instance}/history?pageSize=1000")
    return [event["type"] for event in answer.json()["events"]]


def test_answers_that_are_random_bytes(server: Server, loud: str) -> None:
    random = Random(1)
    with going_on(server), Hands(server, loud) as hands:
        hands.open()
        instance = fresh("fuzzed")
        hands.start(instance)
        item = hands.turn()
        for method in ("CompleteOrchestratorTask", "CompleteWorkflowTask", "CompleteActivityTask"):
            for _ in range(50):
                data = random.randbytes(random.choice((1, 10, 100, 1_000)))
                code, text = ends(lambda m=method, d=data: hands.hub(m, d))  # type: ignore[misc]  # the default binds it
                assert code in ANSWERED, (method, data, text)
        hands.answer(item, complete(1, '"done"'))
        assert server.output(instance) == "done"


def test_answers_whose_actions_are_random(server: Server, loud: str) -> None:
    """The token is right and what is to be done makes no sense: refused, and asked again."""
    random = Random(2)
    with going_on(server), Hands(server, loud) as hands:
        hands.open()
        for _ in range(20):
            hands.start(fresh("fuzzed"))
            response = hands.response(hands.turn())
            # An action of each number, with anything in it.
            body = random.randbytes(random.choice((1, 5, 20)))
            action = bytes([random.randrange(2, 12) << 3 | 2, len(body)]) + body
            data = response.SerializeToString() + bytes([2 << 3 | 2, len(action)]) + action
            code, text = ends(lambda d=data: hands.hub("CompleteOrchestratorTask", d))  # type: ignore[misc]  # the default binds it
            assert code in ANSWERED, (data, text)


def test_every_answer_comes_twice(server: Server, loud: str) -> None:
    instance = fresh("twice")
    with going_on(server), Hands(server, loud) as hands:
        hands.open()
        hands.start(instance)
        turn = hands.turn()
        for _ in range(3):
            hands.answer(turn, schedule(1, "act"))
        activity = hands.activity()
        hands.result(activity, '"first"')
        hands.result(activity, '"second"')
        last = hands.turn()
        for _ in range(3):
            hands.answer(last, complete(2, '"done"'))
            hands.result(activity, '"third"')
        assert server.output(instance) == "done"
        assert history(server, instance).count("TaskScheduled") == 1
        assert history(server, instance).count("TaskCompleted") == 1


def test_answers_come_late(server: Server, loud: str) -> None:
    """After the stream has gone and others have done the work: OK, and nothing changes."""
    instance = fresh("late")
    with going_on(server), Hands(server, loud) as late:
        late.open()
        late.start(instance)
        turn = late.turn()
        late.stream.cancel()
        with Hands(server, loud) as other:
            other.open()
            other.answer(other.turn(), schedule(1, "act"))
            held = other.activity()
            late.answer(turn, complete(1, '"too late"'))
            late.result(turn_as_activity(late, turn))
            other.result(held, '"right"')
            other.answer(other.turn(), complete(2, '"right"'))
            late.answer(turn, complete(1, '"too late"'))
        assert server.output(instance) == "right"


def turn_as_activity(hands: Hands, turn: object) -> object:
    """An activity that was never handed out, under a token that was for something else."""
    item = hands.family.WorkItem(completionToken=getattr(turn, "completionToken", ""))
    request = getattr(turn, "workflowRequest", None)
    item.activityRequest.workflowInstance.instanceId = getattr(request, "instanceId", "")
    item.activityRequest.taskId = 1
    return item


def test_one_that_never_answers_holds_up_nobody(server: Server, loud: str) -> None:
    with going_on(server) as quiet, Hands(server, loud) as idle:
        idle.open()
        instances = [fresh("unanswered") for _ in range(50)]
        for instance in instances:
            idle.start(instance)
        # What it has in hand can be ended and deleted, without it.
        for instance in instances[:25]:
            assert (
                server.request("POST", f"/v1.0/workflows/dapr/{instance}/terminate").status == 202
            )
            server.await_status(instance, "TERMINATED")
            assert server.request("POST", f"/v1.0/workflows/dapr/{instance}/purge").status == 202
        whole(server, quiet)
        idle.close()
        with Hands(server, loud) as other:
            other.open()
            done = set()
            for _ in instances[25:]:
                turn = other.turn()
                done.add(turn.workflowRequest.instanceId)
                other.answer(turn, complete(1, '"done"'))
        assert done == set(instances[25:])


@pytest.mark.parametrize("ending", ["terminate", "purge"])
def test_what_was_lost_again_and_again_is_not_run_after_its_end(
    server: Server, loud: str, ending: str
) -> None:
    """Its next hand-out is after a pause, and the end comes in that."""
    instance = fresh("lost")
    with going_on(server):
        with Hands(server, loud) as hands:
            hands.open()
            hands.half(instance)
        for _ in range(2):
            with Hands(server, loud) as hands:
                hands.open().activity()
        with Hands(server, loud) as hands:
            path = f"/v1.0/workflows/dapr/{instance}"
            assert server.request("POST", f"{path}/terminate").status == 202
            if ending == "purge":
                server.await_status(instance, "TERMINATED")
                assert server.request("POST", f"{path}/purge").status == 202
            hands.open()
            later = fresh("later")
            request = hands.family.CreateInstanceRequest(instanceId=later, name="flow")
            # Long after the pause is over.
            request.scheduledStartTimestamp.FromMilliseconds(int((time.time() + 3) * 1_000))
            hands.hub("StartInstance", request)
            turn = hands.turn()
            assert turn.workflowRequest.instanceId == later
            hands.answer(turn, complete(1, '"done"'))


@pytest.mark.parametrize("count", [2_000, 20_000])
def test_actions_without_number(server: Server, loud: str, count: int) -> None:
    """One turn that schedules thousands of activities, and another that ends them all unrun."""
    instance = fresh("many")
    with going_on(server), Hands(server, loud) as hands:
        hands.open()
        hands.start(instance)
        hands.answer(hands.turn(), *(schedule(number, "act") for number in range(1, count + 1)))
        for _ in range(5):
            hands.result(hands.activity())
        assert server.request("POST", f"/v1.0/workflows/dapr/{instance}/terminate").status == 202
        server.await_status(instance, "TERMINATED")
        assert history(server, instance)[2] == "TaskScheduled"


def test_an_answer_with_more_actions_than_are_taken(server: Server, loud: str) -> None:
    instance = fresh("too-many")
    with going_on(server), Hands(server, loud) as hands:
        hands.open()
        hands.start(instance)
        turn = hands.turn()
        actions = hands.response(turn, complete(1, '"x"')).SerializeToString()
        one = hands.family.WorkflowResponse(actions=[hands.family.WorkflowAction(id=1)])
        data = actions + one.SerializeToString() * 150_000
        code, text = ends(lambda: hands.hub("CompleteOrchestratorTask", data))
        assert code in {Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED}, text
        assert server.state(instance)["runtimeStatus"] in {"PENDING", "RUNNING"}


def test_a_worker_that_reads_nothing(server: Server, loud: str) -> None:
    """It opens a stream, starts large workflows, and never reads: it is left, and they go on."""
    with going_on(server), Hands(server, loud) as deaf:
        deaf.open()
        instances = [fresh("unread") for _ in range(30)]
        for instance in instances:
            deaf.start(instance, text='"' + "x" * 1_000_000 + '"')
        deaf.close()
        with Hands(server, loud) as hands:
            hands.open()
            for _ in instances:
                hands.answer(hands.turn(), complete(1, '"done"'))
        for instance in instances:
            assert server.output(instance) == "done"


def test_a_worker_of_no_app(server: Server) -> None:
    """An app's name that cannot be one is refused when the stream opens."""
    with going_on(server), Hands(server, "x" * 5_000) as hands:
        code, _ = ends(lambda: hands.open().item())
        assert code in {Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED}
        assert ends(lambda: hands.call(HUB + "Hello", b""))[0] is Code.OK
