"""`perdure workflow` from the start of a workflow to its end, with a real worker."""

import json
import signal
from uuid import uuid4

import pytest

from tests.conformance.cli.calling import Caller

APPROVED = '{"ok": true, "by": "anna"}'
REFUSED = '{"ok": false, "by": "bert"}'


def new_id() -> str:
    return uuid4().hex


def begin(shop: Caller, *arguments: str) -> str:
    """Start an order and return its id once it waits for its event."""
    instance_id = new_id()
    told = shop.workflow(
        "start", "order", "--id", instance_id, "--input", '{"items": 3}', *arguments
    )
    assert told == f"{instance_id}\n"
    with shop.running("workflow", "watch", instance_id) as watch:
        watch.read_until("waits for event  approved")
    return instance_id


def test_an_order_from_start_to_end(shop: Caller) -> None:
    order = begin(shop, "--tag", "shop=berlin", "--tag", "note= a=b, c ")
    shown = shop.workflow("get", order)
    for part in (order, "RUNNING", "waits for", "event", "shop=berlin", '{"items": 3}', "reserve"):
        assert part in shown
    with shop.running("workflow", "watch", order) as watch:
        watch.read_until("waits for event")
        assert "has the event" in shop.workflow("raise-event", order, "approved", "-i", APPROVED)
        assert watch.end() == 0
    for part in (
        "activity completed  reserve  3",
        "event raised  approved",
        f"child completed  ship {order}-ship  3",
        'completed  {"parcel": 3}',
    ):
        assert part in watch.text
    assert "COMPLETED" in watch.seen[-2]
    assert watch.seen[-1] == '{"parcel": 3}'
    read = shop.read("get", order)
    assert read["runtimeStatus"] == "COMPLETED"
    assert read["output"] == {"parcel": 3}
    assert read["tags"] == {"shop": "berlin", "note": " a=b, c "}


def test_a_history_is_told_and_read(shop: Caller) -> None:
    order = begin(shop)
    lines = shop.workflow("history", order).splitlines()
    assert [line.split("  ")[0].strip() for line in lines[:1]] == ["EVENT"]
    assert any("activity scheduled" in line and "reserve" in line for line in lines)
    assert not any(" turn " in line for line in lines)
    assert any(" turn" in line for line in shop.workflow("history", order, "--all").splitlines())
    read = shop.read("history", order)
    assert read["instanceID"] == order
    assert [event["seq"] for event in read["events"]] == list(range(1, len(read["events"]) + 1))
    assert "TaskScheduled" in {event["type"] for event in read["events"]}


def test_watch_for_programs_is_a_json_object_a_line(shop: Caller) -> None:
    order = begin(shop)
    shop.workflow("raise-event", order, "approved", "--input", APPROVED)
    told = [json.loads(line) for line in shop.workflow("watch", order, "--json").splitlines()]
    assert all(each["instanceID"] == order for each in told)
    *events, end = told
    assert [each["event"]["seq"] for each in events] == list(range(1, len(events) + 1))
    assert end["instance"]["runtimeStatus"] == "COMPLETED"


def test_start_can_wait_for_the_outcome(shop: Caller) -> None:
    shown = shop.workflow("start", "ship", "--input", '{"items": "seven"}', "--wait")
    assert "COMPLETED" in shown
    assert "seven" in shown


def test_an_input_can_come_from_a_file_and_from_the_standard_input(shop: Caller) -> None:
    file = shop.folder / "parcel.json"
    file.write_text('{"items": 1.10}', "utf-8")
    from_file = shop.read("start", "ship", "--input-file", str(file), "--wait")
    assert from_file["output"] == 1.1
    told = shop.workflow("start", "ship", "-i", "-", "--wait", "--json", given='{"items": "ü"}')
    assert json.loads(told)["output"] == "ü"


def test_a_failure_is_told_and_is_the_exit_code(shop: Caller) -> None:
    order = begin(shop)
    shop.workflow("raise-event", order, "approved", "--input", REFUSED)
    watched = shop.workflow("watch", order, code=1)
    assert "refused by bert" in watched
    shown = shop.workflow("get", order)
    assert "FAILED" in shown
    assert "ValueError: refused by bert" in shown
    shop.workflow("start", "ship", "--input", '{"no": "items"}', "--wait", code=1)


def test_a_time_to_wait_is_kept(shop: Caller) -> None:
    order = new_id()
    finished = shop.ask(
        *("start", "order", "--id", order, "-i", '{"items": 1}', "--timeout", "0.5"),
        code=7,
    )
    assert f"perdure workflow watch {order}" in finished.stderr


def test_continuing_as_new_is_followed(shop: Caller) -> None:
    order = shop.workflow("start", "countdown", "--input", "2").strip()
    watched = shop.workflow("watch", order)
    assert "COMPLETED" in watched
    assert watched.endswith("start\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_watching_and_not_the_workflow(
    shop: Caller, number: signal.Signals
) -> None:
    order = begin(shop)
    with shop.running("workflow", "watch", order) as watch:
        watch.read_until("waits for event")
        watch.process.send_signal(number)
        assert watch.end() == (130 if number is signal.SIGINT else -signal.SIGTERM)
    assert "Traceback" not in watch.text
    assert shop.read("get", order)["runtimeStatus"] == "RUNNING"


def test_ctrl_c_while_waiting_says_that_it_goes_on(shop: Caller) -> None:
    order = new_id()
    with shop.running(
        "workflow", "start", "order", "--id", order, "-i", '{"items": 1}', "--wait"
    ) as start:
        start.read_until("Started order")
        begin(shop)  # another one: by now the first call waits
        start.process.send_signal(signal.SIGINT)
        assert start.end() == 130
    assert f"It goes on without you: perdure workflow watch {order}" in start.text
    assert "Traceback" not in start.text


def test_all_that_has_not_ended_is_followed_until_it_has(shop: Caller) -> None:
    prefix = new_id()[:12]
    orders = [f"{prefix}-{n}" for n in range(2)]
    for order in orders:
        shop.workflow("start", "order", "--id", order, "-i", '{"items": 1}')
    with shop.running("workflow", "watch", "--id-prefix", prefix) as watch:
        for _ in orders:
            watch.read_until(prefix)
        for order in orders:
            shop.workflow("raise-event", order, "approved", "-i", APPROVED)
        assert watch.end() == 0
    for order in orders:
        assert any(order in line and "COMPLETED" in line for line in watch.seen)
    finished = shop.ask("watch", "--id-prefix", prefix)
    assert "none that has not ended" in finished.stderr


def test_suspend_and_resume(shop: Caller) -> None:
    order = begin(shop)
    assert "is suspended" in shop.workflow("suspend", order)
    assert shop.read("get", order)["runtimeStatus"] == "SUSPENDED"
    shop.workflow("raise-event", order, "approved", "--input", APPROVED)
    assert shop.read("resume", order) == [{"instanceID": order, "outcome": "goes on"}]
    assert "COMPLETED" in shop.workflow("watch", order)


def test_terminate_and_purge(shop: Caller) -> None:
    order = begin(shop)
    assert "--force" in shop.trouble("purge", order, code=4)
    assert "is terminated" in shop.workflow("terminate", order, "--output", '"out of stock"')
    read = shop.read("get", order)
    assert (read["runtimeStatus"], read["output"]) == ("TERMINATED", "out of stock")
    for verb in (["terminate"], ["suspend"], ["resume"]):
        assert "has ended" in shop.trouble(*verb, order, code=4)
    assert "has ended" in shop.trouble("raise-event", order, "approved", code=4)
    assert "is deleted" in shop.workflow("purge", order)
    shop.trouble("get", order, code=3)


def test_purge_can_be_forced_and_takes_several(shop: Caller) -> None:
    orders = [begin(shop), begin(shop)]
    finished = shop.ask("purge", "--force", orders[0], "no-such-id", orders[1], code=3)
    assert finished.stdout == "".join(f"{order} is deleted.\n" for order in orders)
    assert "no-such-id" in finished.stderr


def test_rerun_from_an_event(shop: Caller) -> None:
    done = shop.workflow("start", "countdown", "--input", "0", "--wait", "--json")
    old = json.loads(done)["instanceID"]
    [scheduled] = [
        event for event in shop.read("history", old)["events"] if event["type"] == "TaskScheduled"
    ]
    wrong = shop.trouble("rerun", old, "--from", "4711", code=3)
    assert f"{scheduled['eventID']} activity scheduled reserve" in wrong
    new = new_id()
    told = shop.workflow(
        *("rerun", old, "--from", str(scheduled["eventID"]), "--id", new),
        *("--input", '{"items": 17}'),
    )
    assert told == f"{new}\n"
    assert "COMPLETED" in shop.workflow("watch", new)
    results = [e["result"] for e in shop.read("history", new)["events"] if "result" in e]
    assert results == [17, "start"]
    taken = shop.trouble("rerun", old, "--from", str(scheduled["eventID"]), "--id", new, code=4)
    assert "another --id" in taken
    running = begin(shop)
    assert "Only what has ended" in shop.trouble("rerun", running, "--from", "1", code=2)
