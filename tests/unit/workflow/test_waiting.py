"""Waits: how long a call may last, and what is tried again."""

import grpc
import pytest

from perdure.workflow.faults import WorkflowRpcError, rpc_error
from perdure.workflow.waiting import Wait

AWAY = WorkflowRpcError(grpc.StatusCode.UNAVAILABLE, "away")


def test_a_wait_without_a_limit_has_none() -> None:
    assert Wait("start", 0).left_s() is None
    assert Wait("start", None).left_s() is None


def test_a_wait_ends() -> None:
    left_s = Wait("complete", 60).left_s()
    assert left_s is not None
    assert 50 < left_s <= 60
    with pytest.raises(TimeoutError, match="waiting for the orchestration to complete"):
        Wait("complete", 1e-9).left_s()


def test_a_server_that_is_away_is_asked_again_after_growing_pauses() -> None:
    wait = Wait("start", 0)
    assert [wait.pause_after(AWAY) for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 5.0]
    assert Wait("start", 0.25).pause_after(AWAY) <= 0.25


def test_each_pause_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    wait = Wait("complete", 0)
    wait.pause_after(AWAY)
    wait.pause_after(AWAY)
    first, second = caplog.messages
    assert first.startswith("waiting for a workflow to complete:")
    assert first.endswith("away; again in 0.5 s"), first
    assert second.endswith("again in 1 s"), second


def test_a_server_that_stays_away_is_given_up_and_one_that_was_there_meanwhile_is_not() -> None:
    now_s = 0.0
    wait = Wait("complete", 0, lambda: now_s)
    wait.pause_after(AWAY)
    now_s += 20
    wait.pause_after(AWAY)
    now_s += 7_200  # a call that has lasted for two hours, until the server was begun anew
    assert wait.pause_after(AWAY) == 0.5
    now_s += 20
    assert wait.pause_after(AWAY) == 1.0
    now_s += 20
    with pytest.raises(WorkflowRpcError) as raised:
        wait.pause_after(AWAY)
    assert raised.value is AWAY


def test_a_refusal_ends_the_wait() -> None:
    refusal = WorkflowRpcError(grpc.StatusCode.PERMISSION_DENIED, "no")
    with pytest.raises(WorkflowRpcError) as raised:
        Wait("start", 0).pause_after(refusal)
    assert raised.value is refusal


def test_a_call_whose_time_is_up_is_a_wait_whose_time_is_up() -> None:
    late = WorkflowRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, "late")
    with pytest.raises(TimeoutError, match="to start"):
        Wait("start", 5).pause_after(late)


def test_an_error_is_one_of_grpc() -> None:
    error = rpc_error(5, "not here")
    assert isinstance(error, grpc.RpcError)
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == "not here"
    assert str(error) == error.debug_error_string() == "NOT_FOUND: not here"
    assert error.initial_metadata() == error.trailing_metadata() == ()
    assert rpc_error(77, "?").code() is grpc.StatusCode.UNKNOWN
