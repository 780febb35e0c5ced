"""The table from faults to gRPC statuses."""

import grpc
import pytest
from structlog.testing import capture_logs

from perdure.api.grpc.faults import Rejected, status_of
from perdure.base.errors import (
    CallerFault,
    ShuttingDown,
    StoreBroken,
    StoreFailed,
    StoreUnavailable,
    WorkerFault,
)

Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CallerFault("text"), Code.INVALID_ARGUMENT),
        (WorkerFault("text"), Code.INVALID_ARGUMENT),
        (StoreUnavailable("text"), Code.UNAVAILABLE),
        (ShuttingDown("text"), Code.UNAVAILABLE),
        (StoreBroken("text"), Code.INTERNAL),
        (StoreFailed("text"), Code.INTERNAL),
        (Rejected(Code.NOT_FOUND, "text"), Code.NOT_FOUND),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_foreseen_is_told(error: Exception, code: grpc.StatusCode) -> None:
    with capture_logs() as logs:
        assert status_of(error) == (code, "text")
    assert logs == []


def test_what_is_not_foreseen_is_logged_and_not_told() -> None:
    with capture_logs() as logs:
        code, text = status_of(KeyError("secret"))
    assert code is Code.INTERNAL
    assert "secret" not in text
    (entry,) = logs
    assert text.endswith(entry["reference"])
    assert isinstance(entry["exc_info"], KeyError)
