"""The judgement of a campaign, from what was written down and what the server tells in the end.

Nothing here talks to anybody: records go in, complaints come out. `Seen` is what the server's own
API has told of an instance.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tests.e2e.crash.ledger import ACKED, Record
from tests.e2e.crash.stories import Event, Story, stories_of

FINISHED: Final = frozenset({"COMPLETED", "FAILED", "TERMINATED"})
LAST: Final = "last"

# How a history's event of one kind names the event that it answers.
_ANSWERS: Final = {
    "TaskCompleted": ("task", "taskScheduledID"),
    "TaskFailed": ("task", "taskScheduledID"),
    "ChildWorkflowInstanceCompleted": ("child", "taskScheduledID"),
    "ChildWorkflowInstanceFailed": ("child", "taskScheduledID"),
    "TimerFired": ("timer", "timerID"),
}
_ASKS: Final = {
    "TaskScheduled": "task",
    "ChildWorkflowInstanceCreated": "child",
    "TimerCreated": "timer",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An instance as the server tells of it."""

    workflow: str
    status: str
    output: Any = None
    parent: str | None = None
    history: Sequence[Mapping[str, Any]] = ()


def judge_listing(records: Sequence[Record], statuses: Mapping[str, str]) -> list[str]:
    """What is wrong with a listing that was made while nobody asked anything of the server."""
    complaints = []
    for story in stories_of(records).values():
        status = statuses.get(story.instance)
        for complaint in _of_presence(story, status):
            complaints.append(f"{story.workflow} {story.instance}: {complaint}")
    return complaints


def judge_end(records: Sequence[Record], seen: Mapping[str, Seen]) -> list[str]:
    """What is wrong when all has come to rest. What workers did is for `diaries` to judge."""
    stories = stories_of(records)
    complaints = [f"an answer that fits nothing: {r}" for r in records if r["what"] == "surprise"]
    for story in stories.values():
        told = seen.get(story.instance)
        found = list(_of_presence(story, None if told is None else told.status))
        if told is not None:
            found += _of_end(story, told)
        complaints += [f"{story.workflow} {story.instance}: {each}" for each in found]
    for instance, told in seen.items():
        found = [*_of_history(told), *_of_timers(told)]
        if instance not in stories:
            found += _of_child(told, seen)
        complaints += [f"{told.workflow} {instance}: {each}" for each in found]
    return complaints


# ---- is what was acknowledged in force?


def _of_presence(story: Story, status: str | None) -> Iterator[str]:
    if status is None:
        if story.is_certain and not story.purges:
            yield "its start was acknowledged, and it is not there"
    elif story.is_purged:
        yield f"its purge was acknowledged, and it is {status}"
    else:
        yield from _of_status(story, status)


def _of_status(story: Story, status: str) -> Iterator[str]:
    if story.is_suspended and status != "SUSPENDED":
        yield f"its suspension was acknowledged, and it is {status}"
    if any(each["in_force"] for each in story.terminated) and status != "TERMINATED":
        yield f"its termination was acknowledged, and it is {status}"
    for each in story.seen:
        if each["status"] != status:
            yield f"it has been seen {each['status']}, and is {status}"


# ---- has it come to the right end?


def _of_end(story: Story, told: Seen) -> Iterator[str]:
    for each in story.seen:
        if each["status"] == told.status and each["output"] != told.output:
            yield f"its output has been seen as {each['output']!r}, and is {told.output!r}"
    if story.terminates and told.status == "TERMINATED":
        outputs = [each["output"] for each in story.terminates]
        if told.output not in outputs:
            yield f"it was terminated with one of {outputs}, and its output is {told.output!r}"
    elif told.status != "COMPLETED":
        yield f"it is stuck or has gone wrong: {told.status}, {told.output!r}"
    elif story.terminated:
        yield "it was terminated, and has completed"
    else:
        yield from _of_output(story, told.output)


def _of_output(story: Story, output: Any) -> Iterator[str]:
    if story.workflow == "family":
        wanted = _keys("chain", story.input["child"]["steps"]) * 2
        got = [key for child in output for key in _keys_of(child)]
    elif story.workflow == "collector":
        yield from _of_events(story, [tuple(event) for event in output["taken"]])
        rounds = len(output["steps"])
        wanted, got = _keys("collect", rounds), _keys_of(output["steps"])
    elif story.workflow == "waiter":
        if not any(output["went"] == data for data, _ in story.went):
            yield f"it was told {story.went}, and has heard {output['went']!r}"
        wanted, got = ["waited"], _keys_of([output["step"]])
    else:
        results = output if isinstance(output, list) else [output]
        wanted, got = _wanted_keys(story), _keys_of(results)
    if got != wanted:
        yield f"its activities should have been {wanted}, and were {got}"


def _wanted_keys(story: Story) -> list[str]:
    match story.workflow:
        case "chain" | "fan":
            return _keys(story.workflow, story.input["steps"])
        case "looper":
            return _keys("round", story.input["rounds"])
        case "sleeper":
            return ["slept"]
        case "stumbler":
            return ["caught"]
        case workflow:
            raise AssertionError(f"a {workflow} should not have completed")


def _keys(name: str, count: int) -> list[str]:
    return [f"{name}/{number}" for number in range(count)]


def _keys_of(results: Sequence[Mapping[str, Any]]) -> list[str]:
    return [result["key"] for result in results]


def _of_events(story: Story, taken: Sequence[Event]) -> Iterator[str]:
    for event, count in Counter(taken).items():
        if count > 1:
            yield f"event {event} was delivered {count} times"
    for event in sorted(story.sent(ACKED) - set(taken)):
        if event[0] != LAST:
            yield f"event {event} was acknowledged, and never delivered"
    for event in sorted(set(taken) - {event for event, _ in story.events}):
        yield f"event {event} was delivered, and never sent"
    for sender in sorted({sender for sender, _ in taken}):
        numbers = [number for name, number in taken if name == sender]
        if any(_overtaken(story.sent(ACKED), sender, numbers)):
            yield f"the events of {sender} were delivered in the order {numbers}"


def _overtaken(acked: AbstractSet[Event], sender: str, numbers: Sequence[int]) -> Iterator[int]:
    """Yield what was delivered before something that had been acknowledged before it was sent.

    One without an answer may land at any time after it was sent: nobody has said when.
    """
    for place, number in enumerate(numbers):
        later = numbers[place + 1 :]
        if any(each < number and (sender, each) in acked for each in later):
            yield number


def _of_child(told: Seen, seen: Mapping[str, Seen]) -> Iterator[str]:
    parent = seen.get(told.parent or "")
    if parent is None:
        yield f"nobody has started it (its parent: {told.parent})"
    elif told.status not in {"COMPLETED", parent.status}:
        yield f"it is a child, is {told.status}, and its parent is {parent.status}"
    elif told.status == "COMPLETED" and parent.status == "COMPLETED":
        number = _keys("chain", len(told.output))
        if _keys_of(told.output) != number:
            yield f"its activities were {_keys_of(told.output)}"


# ---- is its history sound?


def _of_history(told: Seen) -> Iterator[str]:
    places = [event["seq"] for event in told.history]
    if places != list(range(1, len(places) + 1)):
        yield f"its history has the places {places}"
    ends = sum(event["type"] == "ExecutionCompleted" for event in told.history)
    if told.status in FINISHED and ends != 1:
        yield f"it has finished, and its history has {ends} ends"
    asked: set[tuple[str, int]] = set()
    answered: Counter[tuple[str, int]] = Counter()
    for event in told.history:
        kind = event["type"]
        if kind in _ASKS:
            asked.add((_ASKS[kind], event["eventID"]))
        elif kind in _ANSWERS:
            what, member = _ANSWERS[kind]
            name = (what, event[member])
            answered[name] += 1
            if name not in asked:
                yield f"its history has an answer to {name}, which it does not ask for"
            if answered[name] > 1:
                yield f"its history has {answered[name]} results of {name}"


def _of_timers(told: Seen) -> Iterator[str]:
    for event in told.history:
        if event["type"] == "TimerFired" and _moment(event["timestamp"]) < _moment(event["fireAt"]):
            yield f"its timer {event['timerID']} fired at {event['timestamp']}, too early"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
