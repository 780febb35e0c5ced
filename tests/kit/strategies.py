"""What hypothesis draws: every kind of event, and decisions of workers that meet each other."""

from typing import Any

from hypothesis import strategies as st

from perdure.base.time import LATEST_US
from perdure.core import actions as act
from perdure.core import events as ev
from perdure.core.status import TERMINAL, Status
from perdure.core.tracing import TraceContext
from perdure.wire.generated import history_pb2 as pb

# Text as protobuf can carry it: anything but lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
optional_texts = st.none() | texts
int32s = st.integers(-(2**31), 2**31 - 1)
ids = st.integers(0, 2**31 - 1)
moments = st.integers(-62_135_596_800_000_000, LATEST_US)
hexadecimal = st.text("0123456789abcdef", min_size=16, max_size=16)
failures = st.none() | st.builds(
    lambda kind, text: pb.FailureDetails(error_type=kind, message=text).SerializeToString(),
    texts,
    texts,
)
tags = st.dictionaries(texts, texts, max_size=3).map(lambda pairs: tuple(sorted(pairs.items())))
routers = st.none() | st.builds(ev.Router, texts, optional_texts, optional_texts)
traces = st.none() | st.builds(
    lambda head, tail, span, flags, state: TraceContext(head + tail, span, flags, state),
    hexadecimal,
    hexadecimal,
    hexadecimal,
    st.sampled_from(["00", "01", "ff"]),
    optional_texts,
)
parents = st.none() | st.builds(
    ev.ParentLink,
    instance_id=texts,
    execution_id=texts,
    name=texts,
    version=optional_texts,
    task_id=int32s,
    app_id=optional_texts,
    app_namespace=optional_texts,
)
scopes = st.sampled_from(ev.PropagationScope)
stamp: dict[str, Any] = {"at_us": moments, "event_id": int32s, "router": routers}


def _origin(number: int, name: str) -> dict[str, Any]:
    """Return the fields of a timer's origin, as `decode` gives them."""
    if number == 0:
        return {}
    named = pb.EventOrigin(name=name if number != 4 else "").SerializeToString()
    awaited = {"awaited_event": name} if number == 5 else {}
    return {"origin": number, "origin_bytes": named} | awaited


timers = st.builds(
    lambda origin, fields: ev.TimerCreated(**fields, **origin),
    st.builds(_origin, st.sampled_from([0, 4, 5, 6, 7]), texts),
    st.fixed_dictionaries(
        stamp | {"fire_at_us": moments, "name": optional_texts, "rerun_of": optional_texts}
    ),
)
common = {"name": texts, "version": optional_texts, "input": optional_texts}
events: st.SearchStrategy[ev.Event] = st.one_of(
    st.builds(
        ev.WorkflowStarted,
        **stamp,
        patches=st.lists(texts, max_size=3).map(tuple),
        version_name=optional_texts,
    ),
    st.builds(
        ev.ExecutionStarted,
        **stamp,
        **common,
        instance_id=texts,
        execution_id=texts,
        parent=parents,
        scheduled_start_us=st.none() | moments,
        trace=traces,
        span_id=optional_texts,
        tags=tags,
    ),
    st.builds(
        ev.ExecutionCompleted,
        **stamp,
        status=st.sampled_from(Status),
        result=optional_texts,
        failure=failures,
    ),
    st.builds(ev.ExecutionTerminated, **stamp, input=optional_texts, recurse=st.booleans()),
    st.builds(ev.ExecutionSuspended, **stamp, reason=optional_texts),
    st.builds(ev.ExecutionResumed, **stamp, reason=optional_texts),
    st.builds(
        ev.ExecutionStalled, **stamp, reason=st.sampled_from(ev.StallReason), description=texts
    ),
    st.builds(
        ev.TaskScheduled,
        **stamp,
        **common,
        execution_id=texts,
        trace=traces,
        rerun_of=optional_texts,
        scope=scopes,
    ),
    st.builds(ev.TaskCompleted, **stamp, task_id=int32s, result=optional_texts, execution_id=texts),
    st.builds(ev.TaskFailed, **stamp, task_id=int32s, failure=failures, execution_id=texts),
    timers,
    st.builds(ev.TimerFired, **stamp, timer_id=int32s, fire_at_us=moments),
    st.builds(
        ev.ChildCreated,
        **stamp,
        **common,
        instance_id=texts,
        trace=traces,
        rerun_of=optional_texts,
        retry_of=optional_texts,
        scope=scopes,
    ),
    st.builds(ev.ChildCompleted, **stamp, task_id=int32s, result=optional_texts),
    st.builds(ev.ChildFailed, **stamp, task_id=int32s, failure=failures),
    st.builds(ev.EventRaised, **stamp, name=texts, input=optional_texts),
    st.builds(ev.EventSent, **stamp, instance_id=texts, name=texts, input=optional_texts),
    st.builds(ev.DetachedCreated, **stamp, instance_id=texts),
)

# Actions have few names and ids, so that they meet each other.
few_ids = st.integers(0, 12)
few_names = st.sampled_from(["a", "B", "b"])
completions = st.builds(
    act.Complete,
    id=st.just(99),
    status=st.sampled_from(sorted(TERMINAL)),
    result=optional_texts,
    failure=failures,
)
continuations = st.builds(
    act.Complete,
    id=st.just(99),
    status=st.just(Status.CONTINUED_AS_NEW),
    result=optional_texts,
    carryover=st.lists(st.builds(ev.EventRaised, at_us=st.just(0), name=few_names), max_size=3).map(
        tuple
    ),
)
steps: st.SearchStrategy[act.Action] = st.one_of(
    st.builds(act.ScheduleTask, id=few_ids, name=few_names, input=optional_texts),
    st.builds(
        act.CreateTimer,
        id=few_ids,
        fire_at_us=st.integers(0, 10),
        awaited_event=st.none() | few_names,
    ),
    st.builds(act.CreateChild, id=few_ids, instance_id=st.sampled_from(["", "c"]), name=few_names),
    st.builds(act.SendEvent, id=few_ids, instance_id=st.just("o"), name=few_names),
    st.builds(act.CreateDetached, id=few_ids, instance_id=st.just("d"), name=few_names),
    st.builds(act.Terminate, id=few_ids, instance_id=st.just("o")),
)


def decisions(ends: bool) -> st.SearchStrategy[act.Decision]:
    """Draw decisions of a turn; with `ends` they may complete or continue as new on the way."""
    endings = st.lists(completions | continuations, max_size=1) if ends else st.just([])
    return st.builds(
        lambda some, end, later, custom: act.Decision(
            actions=(*some, *end, *later), custom_status=custom
        ),
        st.lists(steps, max_size=5, unique_by=lambda action: action.id),
        endings,
        st.lists(steps, max_size=3, unique_by=lambda action: action.id) if ends else st.just([]),
        optional_texts,
    )


inbox_events: st.SearchStrategy[ev.Event] = st.one_of(
    st.builds(ev.TaskCompleted, at_us=st.just(1), task_id=few_ids),
    st.builds(ev.TaskFailed, at_us=st.just(1), task_id=few_ids),
    st.builds(ev.TimerFired, at_us=st.just(1), timer_id=few_ids, fire_at_us=st.just(1)),
    st.builds(ev.ChildCompleted, at_us=st.just(1), task_id=few_ids),
    st.builds(ev.ChildFailed, at_us=st.just(1), task_id=few_ids),
    st.builds(ev.EventRaised, at_us=st.just(1), name=few_names),
    st.builds(ev.ExecutionSuspended, at_us=st.just(1)),
    st.builds(ev.ExecutionResumed, at_us=st.just(1)),
)
