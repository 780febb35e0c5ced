"""Files of instances: what was written is read, people can read it, and damage is seen."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from perdure.base.errors import CallerFault
from perdure.core.events import EventRaised
from perdure.moving.instance_files import (
    InstanceFile,
    lines_of,
    read_file,
    read_lines,
)
from perdure.store.memory import MemoryStore
from perdure.store.moving import Whole
from perdure.store.port import HistoryRow
from perdure.wire.events import encode
from tests.kit.wholes import fill

_EVENT = encode(EventRaised(at_us=1_000_000, name="approved", input='{"by": "anna"}'))


def _wholes() -> tuple[Whole, ...]:
    store = MemoryStore()
    fill(store)
    return store.wholes(0, 99, 10_000)


def _file(whole: Whole) -> InstanceFile:
    return InstanceFile(
        whole=whole,
        complete=True,
        exported_at_us=1_700_000_000_000_000,
        exported_by="perdure 1.0",
        source="wf.db",
    )


def _full() -> InstanceFile:
    whole = _wholes()[0]
    assert whole.identity.instance_id == "full"
    history = (HistoryRow(1, 17, _EVENT), *whole.history[1:])
    return _file(replace(whole, history=history))


@pytest.mark.parametrize("whole", _wholes(), ids=lambda whole: whole.identity.instance_id)
def test_what_was_written_is_read(whole: Whole) -> None:
    file = _file(whole)
    assert read_lines(lines_of(file), "a") == file


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "full.perdure.jsonl"
    path.write_bytes(b"".join(lines_of(_full())))
    assert read_file(path) == _full()
    with pytest.raises(CallerFault, match=r"none\.jsonl cannot be read: No such file"):
        read_file(tmp_path / "none.jsonl")


def test_people_and_programs_can_read_it() -> None:
    opening, instance, first, *_, end = [json.loads(line) for line in lines_of(_full())]
    assert opening == {
        "format": "perdure-instance",
        "version": 1,
        "exported_at": "2023-11-14T22:13:20Z",
        "exported_by": "perdure 1.0",
        "source": "wf.db",
        "complete": True,
        "instance": {
            "instance_id": "full",
            "name": "Bestellung ✓",
            "app_id": "shop",
            "status": "STALLED",
            "created_at": "1970-01-01T00:00:00.000013Z",
            "waits_for": "activity",
            "parent_id": "gone",
            "tags": {"z": "1", "a": ""},
            "custom_status": '{"a": 1}',
            "events": 4,
        },
    }
    assert instance["table"] == "instance"
    assert instance["identity"]["execution_id"] == "run of full"
    assert (first["table"], first["seq"], first["kind"]) == ("history", 1, "EVENT_RAISED")
    assert b64decode(first["event"]) == _EVENT
    assert first["shown"]["input"] == {"by": "anna"}
    assert end["table"] == "end"


def test_bytes_that_are_no_event_are_taken_along() -> None:
    whole = replace(_full().whole, history=(HistoryRow(1, 15, b"\x01"),))
    first = [json.loads(line) for line in lines_of(_file(whole))][2]
    assert (first["kind"], first["shown"]) == (15, None)
    assert b64decode(first["event"]) == b"\x01"
    assert read_lines(lines_of(_file(whole)), "a").whole == whole


def test_a_file_that_is_cut_off_anywhere_is_refused() -> None:
    text = b"".join(lines_of(_full()))
    for length in range(0, len(text), 7):
        with pytest.raises(CallerFault):
            read_lines(text[:length].splitlines(keepends=True), "a")


def test_a_file_that_was_changed_anywhere_is_refused() -> None:
    lines = list(lines_of(_full()))
    for at in range(len(lines) - 1):
        with pytest.raises(CallerFault):
            read_lines([*lines[:at], *lines[at + 1 :]], "a")
        changed = lines[at].replace(b"}", b" }", 1)
        with pytest.raises(CallerFault):
            read_lines([*lines[:at], changed, *lines[at + 1 :]], "a")
    with pytest.raises(CallerFault, match="goes on after its end"):
        read_lines([*lines, lines[-1]], "a")


def _with(change: Callable[[list[dict[str, Any]]], None]) -> list[bytes]:
    """The lines of a file in which something was changed by somebody who knows the digest."""
    rows = [json.loads(line) for line in lines_of(_full())][:-1]
    change(rows)
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    end = {"table": "end", "rows": len(rows) - 1, "sha256": sha256(b"".join(lines)).hexdigest()}
    return [*lines, json.dumps(end).encode() + b"\n"]


def test_another_layout_of_the_same_is_read() -> None:
    assert read_lines(_with(lambda _: None), "a") == _full()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[0].update(format="other"), "a:1: this is no file of an instance"),
        (lambda rows: rows[0].update(version=2), "a:1: the file is of version 2"),
        (lambda rows: rows[0].pop("complete"), "a:1: exported_at or complete is missing"),
        (lambda rows: rows[0].update(exported_at="now"), "a:1: exported_at or complete"),
        (lambda rows: rows[1].update(table="history"), "a:2: the line of the instance itself"),
        (lambda rows: rows[2].update(table="other"), "a:3: there is no table 'other'"),
        (lambda rows: rows[1].update(key="17"), "key must be a whole number of 64 bits"),
        (lambda rows: rows[1].update(key=2**63), "key must be a whole number of 64 bits"),
        (lambda rows: rows[1].update(held=0), "held must be true or false"),
        (lambda rows: rows[1].update(more=1), "more is no member that is known"),
        (lambda rows: rows[1]["head"].pop("phase"), "phase is missing"),
        (lambda rows: rows[1].update(head=[]), "an object is expected, not \\[\\]"),
        (lambda rows: rows[1]["identity"].update(name="\ud800"), "lone surrogate"),
        (lambda rows: rows[1]["identity"].update(tags={}), "tags must be a list"),
        (lambda rows: rows[1]["identity"].update(tags=[["a"]]), "tags must have 2 parts each"),
        (lambda rows: rows[2].update(event="!"), "event must be base64"),
        (lambda rows: rows[2].update(seq=2), "a history has no gap"),
        (lambda rows: rows[2].update(kind="OTHER"), "kind must be a whole number"),
    ],
)
def test_what_cannot_be_used_is_told(
    change: Callable[[list[dict[str, Any]]], None], words: str
) -> None:
    with pytest.raises(CallerFault, match=words):
        read_lines(_with(change), "a")


def test_what_is_no_json_is_told() -> None:
    for line in (b"hello\n", b"[1]\n", b"\xff\n", b"[" * 10_000 + b"\n"):
        with pytest.raises(CallerFault, match="a:1: the line is no JSON"):
            read_lines([line], "a")
    with pytest.raises(CallerFault, match="a is empty"):
        read_lines([], "a")
