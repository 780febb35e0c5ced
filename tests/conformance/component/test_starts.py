"""Starting instances, on every component."""

import json

import pytest

from perdure.base.time import HOUR_US
from perdure.components.port import Started
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from tests.conformance.component.subjects import Subject


async def test_a_start_needs_no_worker(subject: Subject) -> None:
    tags = (("city", "Prague"), ("note", "in a hurry"))
    instance_id = await subject.start("a", "echoes", input='{"items": 1.10}', tags=tags)
    view = await subject.view(instance_id)
    assert (view.instance_id, view.name, view.component) == (
        instance_id,
        "echoes",
        subject.component.name,
    )
    assert view.status is Status.PENDING
    assert view.app_id == "app"
    assert view.started_at_us is None
    assert view.completed_at_us is None
    assert view.input == '{"items": 1.10}'
    assert sorted(view.tags) == sorted(tags)
    assert view.waits_for == "turn"
    assert view.execution_id
    assert view.created_at_us > 0


@pytest.mark.parametrize("text", ['"text"', "1.10", "null", '{"a": [1, "b"]}', '"\u0159"'])
async def test_json_comes_back_as_it_went(subject: Subject, text: str) -> None:
    instance_id = await subject.start("a", "echoes", input=text)
    async with subject.working():
        view = await subject.finished(instance_id)
    assert view.status is Status.COMPLETED
    assert view.input == text
    # An SDK reads it, and writes it again in its own way.
    output = view.output
    if output is None and subject.kind == "in process":
        output = "null"  # Python code that returns None has no output, as with Dapr's SDK
    assert output is not None
    assert json.loads(output) == json.loads(text)


async def test_no_input_is_none(subject: Subject) -> None:
    instance_id = await subject.start("a", "echoes")
    assert (await subject.view(instance_id)).input is None


async def test_an_id_in_use_is_refused(subject: Subject) -> None:
    instance_id = await subject.start("a", "echoes", input="1")
    for replace_finished in (False, True):
        answer = await subject.try_start("a", "echoes", replace_finished=replace_finished)
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.ALREADY_EXISTS
        assert f"with ID '{instance_id}' already exists" in answer.text
    assert (await subject.view(instance_id)).input == "1"


async def test_the_id_of_a_finished_instance_is_used_again_only_if_that_is_meant(
    subject: Subject,
) -> None:
    async with subject.working():
        instance_id = await subject.start("a", "echoes", input="1")
        first = await subject.finished(instance_id)
        answer = await subject.try_start("a", "echoes", input="2")
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.ALREADY_EXISTS
        answer = await subject.try_start("a", "echoes", input="2", replace_finished=True)
        assert answer == Started(instance_id)
        second = await subject.finished(instance_id)
    assert (first.output, second.output) == ("1", "2")
    assert first.execution_id != second.execution_id


async def test_a_start_for_later_waits(subject: Subject) -> None:
    now_us = (await subject.view(await subject.start("now", "echoes"))).created_at_us
    async with subject.working():
        instance_id = await subject.start(
            "later", "echoes", scheduled_start_us=now_us + HOUR_US, input="1"
        )
        view = await subject.component.wait(instance_id, finished=False, timeout_us=100_000)
        assert view is not None
        assert view.status is Status.PENDING
        assert view.waits_for == "start time"
        assert view.scheduled_start_us is not None
        assert abs(view.scheduled_start_us - (now_us + HOUR_US)) < 5_000_000
        await subject.terminate(instance_id)
        assert (await subject.finished(instance_id)).status is Status.TERMINATED
