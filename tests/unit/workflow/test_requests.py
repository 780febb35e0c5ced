"""Requests of clients: what is in the message, and what is not even sent."""

from datetime import UTC, datetime

import pytest

from perdure.wire.generated import management_pb2 as pb
from perdure.workflow import requests
from perdure.workflow.workflow_management import UNSET


def named() -> None:
    """A workflow by its function."""


def test_a_start_has_a_name_an_id_and_what_it_is_given() -> None:
    request = requests.start(named, {"a": 1}, "one", datetime(2026, 1, 2, tzinfo=UTC), "shop")
    assert (request.name, request.instance_id) == ("named", "one")
    assert request.input.value == '{"a": 1}'
    assert request.scheduled_start_timestamp.ToDatetime(UTC) == datetime(2026, 1, 2, tzinfo=UTC)
    assert request.router.target_app == "shop"
    by_chance = requests.start("by name", None, None, None, None)
    assert len(by_chance.instance_id) == 32
    assert not by_chance.HasField("input")
    assert not by_chance.HasField("router")
    naive = requests.start("x", None, None, datetime(2026, 1, 2), None)  # noqa: DTZ001 - without a zone on purpose
    assert naive.scheduled_start_timestamp == request.scheduled_start_timestamp


def test_what_is_false_is_sent_and_what_is_nothing_is_not() -> None:
    assert requests.raise_event("one", "e", 0, None).input.value == "0"
    assert not requests.raise_event("one", "e", None, None).HasField("input")
    ended = requests.terminate("one", "", None, recursive=False)
    assert (ended.output.value, ended.recursive) == ('""', False)


def test_a_purge_in_another_app_names_it() -> None:
    request = requests.purge("one", "shop", recursive=True)
    # Field 5 of the message is Dapr's route; Microsoft's dialect means something else by it.
    assert request.SerializeToString().endswith(b"\x2a\x06\x12\x04shop")
    assert pb.PurgeInstancesRequest.FromString(request.SerializeToString()).recursive


@pytest.mark.parametrize("size", [0, -1, 2**32])
def test_pages_have_a_size_that_makes_sense(size: int) -> None:
    with pytest.raises(ValueError, match="page_size must be between"):
        requests.list_ids(size, None)
    assert not requests.list_ids(None, None).HasField("page_size")


def test_a_rerun_tells_a_new_input_from_none() -> None:
    def rerun(**more: object) -> pb.RerunWorkflowFromEventRequest:
        told = {"new_id": None, "value": UNSET, "new_child_id": None, "app_id": None, **more}
        return requests.rerun("one", 3, **told)  # type: ignore[arg-type]  # what a test says

    assert not rerun().overwrite_input
    assert rerun(value=None).overwrite_input
    assert not rerun(value=None).HasField("input")
    assert rerun(value=1).input.value == "1"
    with pytest.raises(ValueError, match="non-empty ID"):
        rerun(new_id="")
    with pytest.raises(ValueError, match="have -1"):
        requests.rerun("one", -1, new_id=None, value=UNSET, new_child_id=None, app_id=None)
