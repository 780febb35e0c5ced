"""Every refusal, with the words that SDKs look for."""

import pytest

from perdure.core.admit import Known, admit_change, admit_purge, admit_start
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Reason,
    Refusal,
    Resume,
    Start,
    Suspend,
    Terminate,
)
from perdure.core.status import TERMINAL, Status

ACTIVE = (Status.PENDING, Status.RUNNING, Status.SUSPENDED, Status.STALLED)
START = Start(instance_id="i", name="wf", app_id="app")
UNIQUE = Start(instance_id="i", name="wf", app_id="app", replace_finished=False)
CHANGES = (
    RaiseEvent(instance_id="i", name="e"),
    Terminate(instance_id="i"),
    Suspend(instance_id="i"),
    Resume(instance_id="i"),
)


def test_a_free_id_may_be_started() -> None:
    assert admit_start(START, None, None) is None
    assert admit_start(UNIQUE, None, None) is None


@pytest.mark.parametrize("status", ACTIVE)
def test_an_active_id_is_taken(status: Status) -> None:
    for request in (START, UNIQUE):
        assert admit_start(request, Known("wf", status), None) == Refusal(
            Reason.ALREADY_EXISTS, "an active workflow with ID 'i' already exists"
        )


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_finished_id_is_free_unless_ids_are_to_be_unique(status: Status) -> None:
    known = Known("wf", status)
    assert admit_start(START, known, None) is None
    refused = admit_start(UNIQUE, known, None)
    assert refused == Refusal(Reason.ALREADY_EXISTS, "a workflow with ID 'i' already exists")


def test_an_active_descendant_keeps_the_id() -> None:
    refused = admit_start(START, Known("wf", Status.FAILED), "child")
    assert refused is not None
    assert refused.reason is Reason.DESCENDANT_ACTIVE
    assert refused.text.startswith("cannot recreate workflow with ID 'i': ")
    assert "'child'" in refused.text


@pytest.mark.parametrize("request_", CHANGES)
def test_changes_of_what_is_missing_or_finished(
    request_: RaiseEvent | Terminate | Suspend | Resume,
) -> None:
    assert admit_change(request_, None) == Refusal(Reason.NOT_FOUND, "no such instance exists")
    for status in TERMINAL:
        refused = admit_change(request_, Known("wf", status))
        assert refused is not None
        assert refused.reason is Reason.ALREADY_FINISHED


@pytest.mark.parametrize("request_", CHANGES)
@pytest.mark.parametrize("status", ACTIVE)
def test_changes_of_what_is_active(
    request_: RaiseEvent | Terminate | Suspend | Resume, status: Status
) -> None:
    refused = admit_change(request_, Known("wf", status))
    if status is Status.STALLED and isinstance(request_, RaiseEvent):
        assert refused == Refusal(Reason.STALLED, "workflow is stalled")
    else:
        assert refused is None


@pytest.mark.parametrize("status", list(ACTIVE) + sorted(TERMINAL))
@pytest.mark.parametrize("force", [False, True])
def test_purges(status: Status, *, force: bool) -> None:
    refused = admit_purge(Purge(instance_id="i", force=force), Known("wf", status))
    if status in TERMINAL or force:
        assert refused is None
    else:
        assert refused == Refusal(Reason.NOT_FINISHED, "orchestration has not yet completed")
    missing = admit_purge(Purge(instance_id="i", force=force), None)
    assert missing == Refusal(Reason.NOT_FOUND, "no such instance exists")
