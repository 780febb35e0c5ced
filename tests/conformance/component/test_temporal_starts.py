"""What a start can say for Temporal alone."""

import json

import pytest

from perdure.base.time import SECOND_US
from perdure.components.port import Started
from perdure.components.temporal.options import NAMES
from perdure.core.requests import Reason, Refusal, Start
from perdure.core.status import Status
from perdure.wire.json_api.payload import payload_of
from tests.conformance.component.looking import until
from tests.conformance.component.subjects import Subject
from tests.kit.cluster import Cluster


async def properties(subject: Subject, instance_id: str) -> dict[str, str]:
    return dict((await subject.view(instance_id)).properties)


async def test_a_task_queue_by_every_name(temporal_subject: Subject) -> None:
    for number, name in enumerate(("task_queue", "taskQueue", "TaskQueue", "task-queue")):
        instance_id = await temporal_subject.start(f"a{number}", options=((name, "elsewhere"),))
        assert (await properties(temporal_subject, instance_id))["taskQueue"] == "elsewhere"
    usual = await temporal_subject.start("usual")
    assert (await properties(temporal_subject, usual))["taskQueue"] == temporal_subject.mark


async def test_a_task_queue_is_needed(cluster: Cluster, temporal_subject: Subject) -> None:
    component = cluster.component(task_queue=None)
    answer = await component.start(_start(temporal_subject, "a"))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.INVALID
    assert answer.text.startswith("no task queue provided")


def _start(subject: Subject, name: str) -> Start:
    return Start(instance_id=subject.id(name), name="waits", app_id="app")


async def test_memo_and_search_attributes(temporal_subject: Subject) -> None:
    options = (
        ("memo", '{"note": {"a": 1.10}}'),
        ("searchAttributes", '{"labels": ["new", "big"], "paid": true, "weight": 1.5}'),
    )
    tags = (("city", "Prague"), ("items", "12"), ("colour", "red"))
    instance_id = await temporal_subject.start("a", options=options, tags=tags)
    found = await properties(temporal_subject, instance_id)
    assert found["memo"] == '{"note":{"a": 1.10}}'
    assert json.loads(found["searchAttributes"]) == {
        "city": "Prague",
        "items": 12,
        "labels": ["new", "big"],
        "paid": True,
        "weight": 1.5,
    }
    assert dict((await temporal_subject.view(instance_id)).tags) == dict(tags)


async def test_a_delay_and_a_cron(temporal_subject: Subject) -> None:
    later = await temporal_subject.start("later", options=(("startDelay", "1h"),))
    view = await temporal_subject.view(later)
    assert (view.status, view.waits_for) == (Status.PENDING, "start time")
    assert view.scheduled_start_us == view.next_wake_us
    assert view.scheduled_start_us is not None
    assert abs(view.scheduled_start_us - view.created_at_us - 3_600 * SECOND_US) < SECOND_US
    often = await temporal_subject.start("often", options=(("cron_schedule", "@every 1h"),))
    assert (await temporal_subject.view(often)).status is Status.PENDING


async def test_an_existing_instance_by_policy(temporal_subject: Subject) -> None:
    subject = temporal_subject
    instance_id = await subject.start("a", input="1")
    used = (("idConflictPolicy", "use_existing"),)
    assert await subject.try_start("a", "waits", options=used) == Started(instance_id)
    first = await subject.view(instance_id)
    assert first.input == "1"
    replaced = (("idConflictPolicy", "terminate_existing"), ("idReusePolicy", "allow_duplicate"))
    answer = await subject.try_start("a", "waits", options=replaced, input="2")
    assert answer == Started(instance_id)
    second = await subject.view(instance_id)
    assert (second.input, second.status) == ("2", Status.PENDING)
    assert second.execution_id != first.execution_id
    await subject.terminate(instance_id)
    failed_only = (("idReusePolicy", "ALLOW_DUPLICATE_FAILED_ONLY"),)
    assert await subject.try_start("a", "waits", options=failed_only) == Started(instance_id)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("queue", "x"), f"there is no option 'queue'; the options are {', '.join(NAMES)}"),
        (("taskQueue", " "), "the option taskQueue is empty"),
        (("runTimeout", "soon"), "the option runTimeout is a length of time such as 90s"),
        (("runTimeout", "-1s"), "the option runTimeout is a length of time such as 90s"),
        (("idReusePolicy", "often"), "the option idReusePolicy is one of allow_duplicate"),
        (("idConflictPolicy", "x"), "the option idConflictPolicy is one of fail"),
        (("memo", "[1]"), "the option memo is a JSON object"),
        (("memo", '{"dapr-workflow-metadata": 1}'), "give them as tags"),
        (("searchAttributes", '{"colour": "red"}'), "has no search attribute colour"),
        (("searchAttributes", '{"items": "x"}'), "items is of kind int: 'x' is none"),
        (("searchAttributes", '{"due": "today"}'), "due is of kind datetime"),
        (("cronSchedule", "now and then"), "cron"),
    ],
)
async def test_what_an_option_cannot_be(
    temporal_subject: Subject, option: tuple[str, str], text: str
) -> None:
    answer = await temporal_subject.try_start("a", "waits", options=(option,))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.INVALID
    assert text.lower() in answer.text.lower()
    assert await temporal_subject.component.get(temporal_subject.id("a")) is None


async def test_a_start_time_and_a_delay_exclude_each_other(temporal_subject: Subject) -> None:
    answer = await temporal_subject.try_start(
        "a", "waits", scheduled_start_us=2**52, options=(("startDelay", "1s"),)
    )
    assert isinstance(answer, Refusal)
    assert "exclude each other" in answer.text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"plain text", "plain text"),
        (b"\xff\x00", '"/wA="'),
        (b'{"a": 1}', '{"a": 1}'),
        (b'"caf\xc3\xa9"', '"café"'),
    ],
)
async def test_a_payload_is_json_or_bytes(
    temporal_subject: Subject, body: bytes, shown: str
) -> None:
    async with temporal_subject.working():
        instance_id = await temporal_subject.start("a", "echoes", input=payload_of(body))
        view = await temporal_subject.finished(instance_id)
    assert view.input == shown
    # Bytes are bytes to the worker, which gives them back as such; JSON it writes anew.
    assert view.output is not None
    if view.output != shown:
        assert json.loads(view.output) == json.loads(shown)


async def test_properties_tell_what_temporal_knows(temporal_subject: Subject) -> None:
    subject = temporal_subject
    async with subject.working():
        instance_id = await subject.start("a", "hangs")
        await subject.started(instance_id)
        view = await until(
            lambda: subject.view(instance_id), lambda view: view.waits_for == "activity"
        )
        found = dict(view.properties)
        assert view.name == "hangs"
        assert found["workflowType"] == "hangs"
        assert found["runID"] == view.execution_id
        assert found["historyLength"] == str(view.history_length)
        [pending] = json.loads(found["pendingActivities"])
        assert (pending["name"], pending["attempt"]) == ("act", 1)
        [task] = await subject.component.tasks(instance_id) or []
        assert (task.name, task.finished_at_us) == ("act", None)
        await subject.terminate(instance_id, '"enough"')
    found = await properties(subject, instance_id)
    assert found["terminationReason"] == '"enough"'


@pytest.mark.parametrize("size_bytes", [3_000_000, 4_194_304, 6_000_000])
async def test_what_is_too_large_for_the_cluster_is_the_callers_fault(
    temporal_subject: Subject, size_bytes: int
) -> None:
    large = f'"{"x" * size_bytes}"'
    answer = await temporal_subject.try_start("a", "waits", input=large)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.INVALID
    running = await temporal_subject.start("b")
    answer = await temporal_subject.raise_event(running, "go", large)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.INVALID
    assert temporal_subject.component.trouble() is None
