"""Cases on history that a workflow lets its activities and children see (from 1.18)."""

from __future__ import annotations

from dapr.ext.workflow import DaprWorkflowContext, PropagationScope, WorkflowActivityContext

from tests.e2e.workers.dapr_python.sdk import App, Steps, activity, case, workflow
from tests.e2e.workers.dapr_python.tasks import greet
from tests.e2e.workers.kit import expect


@activity
def looks_back(context: WorkflowActivityContext, _value: object = None) -> object:
    """Tell what can be seen of the caller: each workflow's name, and what it did."""
    return _seen(context.get_propagated_history())


def _seen(history: object) -> object:
    if history is None:
        return None
    return [
        {
            "workflow": one.name,
            "instance": one.instance_id,
            "app": one.app_id,
            "greetings": [done.output for done in one.get_activities_by_name("greet")],
        }
        for one in history.get_workflows()
    ]


@workflow
def shows_its_past(ctx: DaprWorkflowContext, scope: str | None) -> Steps:
    yield ctx.call_activity(greet, input=ctx.instance_id)
    propagation = None if scope is None else PropagationScope[scope]
    return (yield ctx.call_activity(looks_back, propagation=propagation))


@case
def an_activity_sees_the_history_it_is_shown(app: App) -> None:
    instance_id = app.begin(shows_its_past, "OWN_HISTORY")
    expect(
        app.output(instance_id),
        [
            {
                "workflow": "shows_its_past",
                "instance": instance_id,
                "app": "wfapp",
                "greetings": [f'"Hello, {instance_id}!"'],
            }
        ],
    )


@case
def an_activity_sees_no_history_unasked(app: App) -> None:
    expect(app.result(shows_its_past, None), None)


@workflow
def heir(ctx: DaprWorkflowContext, scope: str) -> Steps:
    yield ctx.call_activity(greet, input="heir")
    inherited = _seen(ctx.get_propagated_history())
    passed_on = yield ctx.call_activity(looks_back, propagation=PropagationScope[scope])
    return [inherited, passed_on]


@workflow
def ancestor(ctx: DaprWorkflowContext, scope: str) -> Steps:
    yield ctx.call_activity(greet, input="ancestor")
    return (
        yield ctx.call_child_workflow(heir, input=scope, propagation=PropagationScope.OWN_HISTORY)
    )


def _names_and_greetings(seen: list[dict[str, object]]) -> list[list[object]]:
    return [[one["workflow"], one["greetings"]] for one in seen]


@case
def a_child_passes_on_the_history_of_its_ancestors(app: App) -> None:
    inherited, passed_on = app.result(ancestor, "LINEAGE")
    expect(_names_and_greetings(inherited), [["ancestor", ['"Hello, ancestor!"']]])
    expect(
        _names_and_greetings(passed_on),
        [["ancestor", ['"Hello, ancestor!"']], ["heir", ['"Hello, heir!"']]],
    )


@case
def a_child_may_keep_the_history_of_its_ancestors_to_itself(app: App) -> None:
    inherited, passed_on = app.result(ancestor, "OWN_HISTORY")
    expect(_names_and_greetings(inherited), [["ancestor", ['"Hello, ancestor!"']]])
    expect(_names_and_greetings(passed_on), [["heir", ['"Hello, heir!"']]])
