"""What a run says of itself fits into Temporal's memo, and is read back as it was said."""

from temporalio.converter import default

from perdure.bridge import names
from perdure.bridge.envelope import APP_ID, arguments_of_start, begun_of
from perdure.bridge.memos import (
    CUSTOM_STATUS_BYTES_MAX,
    memo_of_start,
    origin_in,
    progress_in,
    progress_of,
    shown_custom_status,
)
from perdure.core.events import ExecutionStarted, ParentLink

STARTED = ExecutionStarted(
    at_us=1,
    name="w",
    instance_id="i",
    execution_id="e",
    parent=ParentLink("p", "pe", "pw", None, 3, "other"),
    tags=(("city", "Brno"),),
)


def test_an_origin_is_read_back() -> None:
    to_payload = default().payload_converter.to_payload
    memo = {key: to_payload(value) for key, value in memo_of_start(STARTED, "app").items()}
    origin = origin_in(memo)
    assert (origin["appID"], origin["executionID"]) == ("app", "e")
    assert (origin["parentInstanceID"], origin["parentAppID"]) == ("p", "other")
    assert memo["dapr-workflow-metadata"].data == b'{"city":"Brno"}'
    assert progress_in(memo) is None
    assert origin_in({}) == {}


def test_progress_is_pending_until_a_turn_has_landed() -> None:
    instance = begun_of("i", "w", "r", arguments_of_start(STARTED, "app", APP_ID), 1).instance
    progress = progress_of(instance, suspended=True, created_us=5)
    assert (progress["phase"], progress["suspended"], progress["createdAt"]) == ("PENDING", True, 5)
    payload = default().payload_converter.to_payload(progress)
    assert progress_in({names.PROGRESS: payload}) == progress


def test_a_custom_status_that_the_memo_cannot_hold_is_told_by_its_size() -> None:
    fits = "ž" * (CUSTOM_STATUS_BYTES_MAX // 2)
    assert shown_custom_status(fits) == fits
    told = shown_custom_status(fits + "x")
    assert str(CUSTOM_STATUS_BYTES_MAX + 1) in told
