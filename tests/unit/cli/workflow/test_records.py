"""An instance as the server tells it, read into a record."""

import pytest

from perdure.cli.workflow.records import FINISHED, Instance
from perdure.core.status import TERMINAL
from tests.unit.cli.workflow.examples import before, instance


def test_only_an_id_and_a_type_are_needed() -> None:
    read = Instance.read({"instanceID": "a", "workflowName": "order"})
    assert (read.instance_id, read.name, read.status) == ("a", "order", "")
    assert read.duration_us is None
    assert read.tags == {}
    assert read.failure is None


def test_what_has_ended_is_what_the_server_calls_ended() -> None:
    assert {status.name for status in TERMINAL} == FINISHED


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_an_ended_one_took_from_its_start_to_its_end(status: str) -> None:
    ended = instance(runtimeStatus=status, startedAt=before(10), completedAt=before(7))
    assert ended.is_finished
    assert ended.duration_us == 3_000_000


def test_one_that_never_started_took_from_its_creation() -> None:
    ended = instance(startedAt=None, createdAt=before(10), completedAt=before(8))
    assert ended.duration_us == 2_000_000


def test_the_json_is_kept_whole() -> None:
    assert instance(new_member=1).raw["new_member"] == 1
