"""The judges themselves: a sound campaign has no complaints, and each way of lying is found."""

from typing import Any

import pytest

from tests.e2e.crash.diaries import extra_runs, judge_diaries
from tests.e2e.crash.judging import Seen, judge_end, judge_listing
from tests.e2e.crash.ledger import Record

STEPS = {"steps": 2, "seconds": 0}


def start(instance: str, workflow: str, value: Any, outcome: str = "acked") -> Record:
    return {"what": "start", "at": 1.0, "instance": instance, "workflow": workflow,
            "input": value, "outcome": outcome}  # fmt: skip


def event(sender: str, number: int, outcome: str = "acked") -> Record:
    return {"what": "event", "at": 2.0, "instance": "collector-1", "sender": sender,
            "number": number, "outcome": outcome}  # fmt: skip


def asked(what: str, instance: str, outcome: str = "acked", **more: Any) -> Record:
    return {"what": what, "at": 3.0, "instance": instance, "outcome": outcome, **more}


def death(at: float, whom: str = "server") -> Record:
    return {"what": "death", "at": at, "whom": whom}


def ran(key: str, run: str) -> dict[str, str]:
    return {"key": key, "run": run}


def task(number: int, key: str, run: str) -> list[dict[str, Any]]:
    return [
        {"type": "TaskScheduled", "eventID": number},
        {"type": "TaskCompleted", "eventID": -1, "taskScheduledID": number,
         "result": ran(key, run)},
    ]  # fmt: skip


def history(*events: dict[str, Any]) -> list[dict[str, Any]]:
    ended = [*events, {"type": "ExecutionCompleted", "eventID": 99}]
    return [{**each, "seq": seq} for seq, each in enumerate(ended, start=1)]


CHAIN = [ran("chain/0", "r1"), ran("chain/1", "r2")]


def campaign() -> tuple[list[Record], dict[str, Seen], list[Record]]:
    """A sound campaign: everything is as it was acknowledged."""
    records = [
        start("chain-1", "chain", STEPS, "unknown"),
        start("chain-1", "chain", STEPS, "refused"),
        asked("seen", "chain-1", status="COMPLETED", output=CHAIN),
        start("chain-2", "chain", STEPS, "unknown"),
        start("collector-1", "collector", {"seconds": 0}),
        *(event("a", 1), event("b", 1), event("a", 2, "unknown"), event("a", 3)),
        event("last", 0),
        start("waiter-1", "waiter", {"seconds": 0}),
        asked("terminate", "waiter-1", output="over", in_force=True),
        start("gone-1", "chain", STEPS),
        asked("purge", "gone-1"),
        start("family-1", "family", {"child": STEPS}),
        death(10.0),
    ]
    told = {
        "chain-1": Seen("chain", "COMPLETED", CHAIN,
                        history=history(*task(1, "chain/0", "r1"), *task(2, "chain/1", "r2"))),
        "collector-1": Seen("collector", "COMPLETED",
                            {"taken": [["a", 1], ["b", 1], ["a", 3]], "steps": []},
                            history=history()),
        "waiter-1": Seen("waiter", "TERMINATED", "over", history=history()),
        "family-1": Seen("family", "COMPLETED", [CHAIN, CHAIN], history=history()),
        "family-1-named": Seen("chain", "COMPLETED", CHAIN, "family-1", history=history()),
    }  # fmt: skip
    diaries = [
        *arrival("chain-1", "chain/0", "t1", 2.0, "r1"),
        # The first time it came it was lost with the server.
        {"what": "received", "at": 9.9, "worker": "w", "instance": "chain-1", "key": "chain/1",
         "token": "t2"},
        *arrival("chain-1", "chain/1", "t3", 12.0, "r2"),
        *arrival("family-1-named", "chain/0", "t4", 13.0, "r1"),
        *arrival("family-1-named", "chain/1", "t5", 14.0, "r2"),
    ]  # fmt: skip
    return records, told, diaries


def arrival(instance: str, key: str, token: str, at: float, run: str) -> list[Record]:
    name = {"worker": "w", "instance": instance, "key": key}
    return [
        {"what": "received", "at": at, "token": token, **name},
        {"what": "run", "at": at + 0.01, "run": run, **name},
        {"what": "answered", "at": at + 0.02, "worker": "w", "token": token, "run": run},
    ]


def complaints(
    records: list[Record], told: dict[str, Seen], diaries: list[Record]
) -> tuple[list[str], list[str], list[str]]:
    statuses = {instance: each.status for instance, each in told.items()}
    return (
        judge_listing(records, statuses),
        judge_end(records, told),
        judge_diaries(records, diaries, told),
    )


def only(found: list[str], *texts: str) -> None:
    assert len(found) == len(texts), found
    for complaint, text in zip(found, texts, strict=True):
        assert text in complaint, found


def test_a_sound_campaign_has_no_complaints() -> None:
    assert complaints(*campaign()) == ([], [], [])


def test_a_start_that_was_lost() -> None:
    records, told, diaries = campaign()
    del told["collector-1"]
    listed, ended, _ = complaints(records, told, diaries)
    only(listed, "collector-1: its start was acknowledged, and it is not there")
    only(ended, "collector-1: its start was acknowledged, and it is not there")


def test_a_start_that_was_refused_because_it_is_there_and_is_not() -> None:
    records, told, diaries = campaign()
    del told["chain-1"]
    only(complaints(records, told, diaries)[0], "chain-1: its start was acknowledged")


def test_a_start_without_an_answer_is_there_in_whole_or_not_at_all() -> None:
    records, told, diaries = campaign()
    runs = [*arrival("chain-2", "chain/0", "t8", 15.0, "r1"),
            *arrival("chain-2", "chain/1", "t9", 16.0, "r2")]  # fmt: skip
    told["chain-2"] = Seen("chain", "COMPLETED", CHAIN, history=history())
    assert complaints(records, told, [*diaries, *runs]) == ([], [], [])
    told["chain-2"] = Seen("chain", "RUNNING", history=[])
    only(complaints(records, told, diaries)[1], "chain-2: it is stuck or has gone wrong: RUNNING")


def test_a_workflow_that_nobody_started() -> None:
    records, told, diaries = campaign()
    told["ghost"] = Seen("sleeper", "COMPLETED", [], history=history())
    only(complaints(records, told, diaries)[1], "ghost: nobody has started it")


@pytest.mark.parametrize(
    ("taken", "text"),
    [
        ([["a", 1], ["b", 1]], "event ('a', 3) was acknowledged, and never delivered"),
        ([["a", 1], ["b", 1], ["a", 3], ["a", 1]], "event ('a', 1) was delivered 2 times"),
        ([["a", 3], ["b", 1], ["a", 1]], "events of a were delivered in the order [3, 1]"),
        ([["a", 1], ["b", 1], ["a", 3], ["b", 2]], "event ('b', 2) was delivered, and never sent"),
    ],
)
def test_events_that_did_not_arrive_as_they_were_sent(taken: list[Any], text: str) -> None:
    records, told, diaries = campaign()
    output = {"taken": taken, "steps": []}
    told["collector-1"] = Seen("collector", "COMPLETED", output, history=history())
    assert any(text in each for each in complaints(records, told, diaries)[1])


def test_an_event_without_an_answer_may_have_arrived() -> None:
    records, told, diaries = campaign()
    output = {"taken": [["a", 1], ["a", 2], ["b", 1], ["a", 3]], "steps": []}
    told["collector-1"] = Seen("collector", "COMPLETED", output, history=history())
    assert complaints(records, told, diaries) == ([], [], [])
    # Nobody has said when, save that it was not before it was sent.
    output["taken"] = [["a", 1], ["b", 1], ["a", 3], ["a", 2]]
    assert complaints(records, told, diaries) == ([], [], [])
    output["taken"] = [["a", 2], ["a", 1], ["b", 1], ["a", 3]]
    only(complaints(records, told, diaries)[1], "events of a were delivered in the order [2, 1, 3]")


def test_a_result_that_was_recorded_twice() -> None:
    records, told, diaries = campaign()
    doubled = history(*task(1, "chain/0", "r1"), task(1, "chain/0", "r1")[1])
    told["family-1-named"] = Seen("chain", "COMPLETED", CHAIN, "family-1", history=doubled)
    only(complaints(records, told, diaries)[1], "its history has 2 results of ('task', 1)")


def test_a_failure_after_a_result() -> None:
    records, told, diaries = campaign()
    failed = {"type": "TaskFailed", "eventID": -1, "taskScheduledID": 1}
    doubled = history(*task(1, "chain/0", "r1"), failed)
    told["family-1-named"] = Seen("chain", "COMPLETED", CHAIN, "family-1", history=doubled)
    only(complaints(records, told, diaries)[1], "its history has 2 results of ('task', 1)")


def test_a_history_that_makes_no_sense() -> None:
    records, told, diaries = campaign()
    strange = history(task(7, "chain/0", "r1")[1])[:1]
    strange[0]["seq"] = 2
    told["family-1-named"] = Seen("chain", "COMPLETED", CHAIN, "family-1", history=strange)
    only(complaints(records, told, diaries)[1],
         "places [2]", "has 0 ends", "an answer to ('task', 7), which it does not ask")  # fmt: skip


@pytest.mark.parametrize(("fired", "found"), [("00:00:01.9Z", 1), ("00:00:02Z", 0)])
def test_a_timer_that_fires_too_early(fired: str, found: int) -> None:
    records, told, diaries = campaign()
    timer = history(
        {"type": "TimerCreated", "eventID": 1, "fireAt": "2030-01-01T00:00:02Z"},
        {"type": "TimerFired", "eventID": -1, "timerID": 1, "fireAt": "2030-01-01T00:00:02Z",
         "timestamp": f"2030-01-01T{fired}"},
    )  # fmt: skip
    told["family-1-named"] = Seen("chain", "COMPLETED", CHAIN, "family-1", history=timer)
    complained = complaints(records, told, diaries)[1]
    assert len(complained) == found, complained


def test_an_activity_that_is_missing_in_the_output() -> None:
    records, told, diaries = campaign()
    told["family-1"] = Seen("family", "COMPLETED", [CHAIN, CHAIN[:1]], history=history())
    only(complaints(records, told, diaries)[1], "family-1: its activities should have been")


def test_an_output_that_changes_after_it_was_seen() -> None:
    records, told, diaries = campaign()
    records.append(asked("seen", "family-1", status="COMPLETED", output="another"))
    only(complaints(records, told, diaries)[1], "its output has been seen as 'another'")


@pytest.mark.parametrize("status", ["RUNNING", "COMPLETED", "FAILED"])
def test_a_termination_that_is_not_in_force(status: str) -> None:
    records, told, diaries = campaign()
    told["waiter-1"] = Seen("waiter", status, "over", history=history())
    listed, ended, _ = complaints(records, told, diaries)
    only(listed, f"its termination was acknowledged, and it is {status}")
    assert ended[0] == listed[0]


def test_a_suspension_that_is_not_in_force() -> None:
    records, told, diaries = campaign()
    records[-1:] = [start("waiter-2", "waiter", {"seconds": 0}), asked("suspend", "waiter-2")]
    told["waiter-2"] = Seen("waiter", "RUNNING")
    only(
        complaints(records, told, diaries)[0], "its suspension was acknowledged, and it is RUNNING"
    )
    records.append(asked("resume", "waiter-2", "unknown"))
    assert not complaints(records, told, diaries)[0]


def test_what_was_purged_and_is_there() -> None:
    records, told, diaries = campaign()
    told["gone-1"] = Seen("chain", "COMPLETED", [], history=history())
    only(complaints(records, told, diaries)[0], "its purge was acknowledged, and it is COMPLETED")


def test_a_child_that_outlives_its_parent() -> None:
    records, told, diaries = campaign()
    told["waiter-1-0"] = Seen("waiter", "RUNNING", parent="waiter-1")
    only(complaints(records, told, diaries)[1], "it is a child, is RUNNING, and its parent is TERM")


def test_an_answer_that_fits_nothing() -> None:
    records, told, diaries = campaign()
    records.append({"what": "surprise", "at": 1.0, "text": "500"})
    only(complaints(records, told, diaries)[1], "an answer that fits nothing")


def test_an_activity_that_ran_again_although_nobody_had_died() -> None:
    records, told, diaries = campaign()
    lost = {"what": "received", "worker": "w", "instance": "chain-1", "token": "t9"}
    diaries.insert(0, {**lost, "at": 1.5, "key": "chain/0"})
    only(complaints(records, told, diaries)[2], "chain/0'): handed out again, and nobody had died")
    records.append(death(1.7, "w"))
    assert not complaints(records, told, diaries)[2]
    # What began long before, and has not been over for long.
    records[-1] = {**death(0.1, "w"), "lasts_s": 1.0}
    assert not complaints(records, told, diaries)[2]
    records[-1]["lasts_s"] = 0.1
    assert complaints(records, told, diaries)[2]


def test_an_activity_that_ran_again_after_its_result_was_acknowledged() -> None:
    records, told, diaries = campaign()
    diaries += arrival("chain-1", "chain/0", "t9", 12.5, "r9")
    only(complaints(records, told, diaries)[2],
         "two results were taken", "the result is of r1", "the result is of r1")  # fmt: skip
    late = [each for each in diaries if each.get("token") != "t9" or each["what"] != "answered"]
    only(complaints(records, told, late)[2], "handed out again after its result was acknowledged")


def test_a_result_of_a_run_that_never_was() -> None:
    records, told, diaries = campaign()
    never = [e for e in diaries if (e["what"], e.get("instance")) != ("run", "chain-1")]
    found = judge_diaries(records, never, told)
    assert all("which there never was" in each for each in found), found
    assert len(found) == 4, found  # two results, each in the output and in the history


def test_runs_beyond_the_first_are_counted() -> None:
    diaries = campaign()[2]
    assert extra_runs(diaries) == 0
    assert extra_runs([*diaries, *arrival("chain-1", "chain/0", "t9", 12.5, "r9")]) == 1
