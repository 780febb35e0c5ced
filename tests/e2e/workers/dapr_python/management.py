"""Cases on listing, reading histories and running again from an event (from 1.19)."""

from __future__ import annotations

import json

from dapr.ext.workflow import DaprWorkflowContext, WorkflowActivityContext

from tests.e2e.workers.dapr_python.children import parent
from tests.e2e.workers.dapr_python.events import waits_for_go
from tests.e2e.workers.dapr_python.sdk import App, Steps, activity, case, runs, workflow
from tests.e2e.workers.dapr_python.tasks import hello
from tests.e2e.workers.kit import expect, refused


@case
def instances_are_listed_page_by_page(app: App) -> None:
    started = {app.begin(hello, f"listed {n}") for n in range(7)}
    for instance_id in started:
        app.output(instance_id)
    first = app.client.list_workflow_instance_ids(page_size=3)
    expect(len(first.instance_ids), 3)
    expect(first.continuation_token is None, False)
    listed = list(app.client.iter_workflow_instance_ids(page_size=3))
    expect(started - set(listed), set())
    expect(len(listed), len(set(listed)))


@case
def the_history_of_an_instance_can_be_read(app: App) -> None:
    instance_id = app.begin(hello, "history")
    app.output(instance_id)
    events = app.client.get_workflow_history(instance_id)
    expect(
        [event.event_type.name for event in events],
        [
            "WORKFLOW_STARTED",
            "EXECUTION_STARTED",
            "TASK_SCHEDULED",
            "WORKFLOW_STARTED",
            "TASK_COMPLETED",
            "EXECUTION_COMPLETED",
        ],
    )
    scheduled, completed = events[2], events[4]
    expect([scheduled.event_id, scheduled.name], [1, "greet"])
    expect(completed.task_scheduled_id, 1)
    # The time of a turn is the workflow's clock, which never runs backwards.
    turns = [event.timestamp for event in events if event.event_type.name == "WORKFLOW_STARTED"]
    expect(turns, sorted(turns))
    refused(lambda: app.client.get_workflow_history("no-history"), "no-history", "NOT_FOUND")


@activity
def counted(context: WorkflowActivityContext, key: str) -> str:
    return f"{key} {runs.add(f'counted {key}')}"


@workflow
def counts_twice(ctx: DaprWorkflowContext, key: str) -> Steps:
    first = yield ctx.call_activity(counted, input=f"{key} first")
    second = yield ctx.call_activity(counted, input=f"{key} second")
    return [first, second]


@case
def a_workflow_is_run_again_from_an_event(app: App) -> None:
    instance_id = app.begin(counts_twice, "rerun")
    expect(app.output(instance_id), ["rerun first 1", "rerun second 1"])
    again = app.client.rerun_workflow_from_event(instance_id, 2, new_instance_id="rerun-again")
    expect(again, "rerun-again")
    expect(app.output(again), ["rerun first 1", "rerun second 2"])
    # A run that was itself a rerun can be run again, from its beginning and with another input.
    third = app.client.rerun_workflow_from_event(again, 2, input="another")
    expect(app.output(third), ["rerun first 1", "another 1"])
    expect(app.output(instance_id), ["rerun first 1", "rerun second 1"])


@case
def a_rerun_gives_its_child_a_new_id(app: App) -> None:
    instance_id = app.begin(parent, "rerun child")
    first = app.output(instance_id)
    again = app.client.rerun_workflow_from_event(
        instance_id, 1, new_child_workflow_instance_id="another-child"
    )
    second = app.output(again)
    expect(second, {"id": "another-child", "greeting": first["greeting"]})


@case
def a_rerun_that_makes_no_sense_is_refused(app: App) -> None:
    def rerun(source: str, event_id: int, **options: object) -> object:
        return app.client.rerun_workflow_from_event(source, event_id, **options)

    refused(lambda: rerun("rerun-of-nobody", 1), "does not exist", "NOT_FOUND")
    running = app.begin(waits_for_go)
    refused(lambda: rerun(running, 1), "not in a terminal state", "INVALID_ARGUMENT")
    app.client.raise_workflow_event(running, "Go", data=1)
    app.output(running)
    finished = app.begin(hello, "rerun")
    app.output(finished)
    refused(lambda: rerun(finished, 77), "does not have history event", "NOT_FOUND")
    refused(
        lambda: rerun(finished, 1, new_instance_id=finished),
        "must be different",
        "INVALID_ARGUMENT",
    )
    refused(
        lambda: rerun(finished, 1, new_instance_id=running),
        "has already been created",
        "ALREADY_EXISTS",
    )


@workflow
def long_story(ctx: DaprWorkflowContext, chapters: int) -> Steps:
    told = []
    for chapter in range(chapters):
        told.append((yield ctx.call_activity(counted, input=f"{ctx.instance_id} {chapter}")))
    return told


@case
def a_worker_that_remembers_histories_replays_them_right(app: App) -> None:
    """Many turns of one instance, of which the worker may be sent only what it has not seen."""
    instance_id = app.begin(long_story, 30)
    expect(app.output(instance_id), [f"{instance_id} {chapter} 1" for chapter in range(30)])
    state = app.client.get_workflow_state(instance_id)
    expect(json.loads(state.serialized_input), 30)
