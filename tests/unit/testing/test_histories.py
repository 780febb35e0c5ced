"""Histories are read from what was exported and from what was printed."""

import json
from pathlib import Path

import pytest

from perdure.base.errors import CallerFault, ConfigurationError
from perdure.core.events import Event, ExecutionStarted, WorkflowStarted
from perdure.testing.histories import committed, read_histories
from perdure.wire.events import encode
from perdure.wire.json_api.history import event_json
from perdure.wire.json_api.text import write

EVENTS: tuple[Event, ...] = (
    WorkflowStarted(at_us=5),
    ExecutionStarted(at_us=5, name="order", instance_id="o-1", execution_id="x", input="3"),
)


def printed(instance_id: str) -> str:
    events = [event_json(encode(event), seq) for seq, event in enumerate(EVENTS, start=1)]
    return write({"instanceID": instance_id, "events": events})


def test_what_is_printed_is_read_one_or_several_in_the_order_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.json").write_text(printed("b"))
    (tmp_path / "a.json").write_text(f"[{printed('a1')}, {printed('a2')}]")
    (tmp_path / "sub" / "c.json").write_text(printed("c"))
    (tmp_path / "notes.txt").write_text("not a history")
    found = list(read_histories([tmp_path]))
    assert [history.instance_id for history in found] == ["a1", "a2", "b", "c"]
    assert found[0].workflow == "order"
    assert found[0].events == EVENTS
    assert found[0].source == str(tmp_path / "a.json")
    assert not found[0].has_ended


def test_what_was_committed_is_read_as_it_is() -> None:
    history = committed("o-1", "order", map(encode, EVENTS), "a server")
    assert history.events == EVENTS
    with pytest.raises(CallerFault):
        committed("o-1", "order", [b"\xff"], "a server")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "this is no JSON"),
        ("7", "expected an object with instanceID and events"),
        ('{"instanceID": "x"}', "expected an object with instanceID and events"),
        ('{"instanceID": "x", "events": [7]}', "x.json: "),
        ('{"instanceID": "x", "events": [{"type": "Sneezed"}]}', "'Sneezed' is no type of event"),
    ],
)
def test_what_is_no_history_is_told_with_its_file(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(CallerFault) as refused:
        list(read_histories([tmp_path / "x.json"]))
    assert str(tmp_path / "x.json") in str(refused.value)
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file or folder"):
        list(read_histories([tmp_path / "gone"]))
    (tmp_path / "x.perdure.jsonl").write_text(json.dumps({"format": "another"}) + "\n")
    with pytest.raises(CallerFault, match="this is no file of an instance"):
        list(read_histories([tmp_path]))
