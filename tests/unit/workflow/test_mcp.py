"""How long a client waits before it asks a server for its tools again."""

import time

import grpc
import pytest

from perdure.workflow.faults import WorkflowRpcError
from perdure.workflow.mcp import pause_after


def _error(code: grpc.StatusCode) -> WorkflowRpcError:
    return WorkflowRpcError(code, "not now")


def test_pauses_double_up_to_a_bound_and_are_told(caplog: pytest.LogCaptureFixture) -> None:
    end_s = time.monotonic() + 1_000
    away = _error(grpc.StatusCode.UNAVAILABLE)
    pauses = [pause_after(away, attempt, end_s) for attempt in range(1, 8)]
    assert pauses == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert "asking for tools, attempt 3" in caplog.text


def test_what_does_not_pass_or_comes_too_late_is_not_asked_again() -> None:
    now_s = time.monotonic()
    assert pause_after(_error(grpc.StatusCode.NOT_FOUND), 1, now_s + 1_000) is None
    assert pause_after(_error(grpc.StatusCode.UNAVAILABLE), 1, now_s) is None
