"""The released Go SDK, unmodified: its worker and its client against a real server."""

from pathlib import Path

import pytest

from tests.e2e.sdks.applications import GO, run_cases
from tests.e2e.sdks.conftest import Begin, OutcomesOf
from tests.e2e.serving import Server

# The first test builds the application and waits until all its cases are run.
pytestmark = pytest.mark.timeout(700)

CASES = [
    *("hello", "chain3", "fanout10", "timer", "child-result", "child-many"),
    *("child-failure-caught", "activity-retry", "workflow-failure", "unregistered-activity"),
    *("unregistered-workflow", "unicode", "large-payload", "many-50"),
    *(
        "race-event",
        "event-other-case",
        "event-without-payload",
        "event-buffered",
        "events-in-order",
    ),
    *("event-timeout", "continue-as-new", "suspend-event-resume", "suspend-timer-resume"),
    *("wait-for-start", "scheduled-start", "terminate-with-output", "terminate-suspended"),
    *("terminate-recursive", "terminate-parent-only", "purge", "purge-running-refused"),
    *("finished-is-left-alone", "id-in-use-refused", "finished-id-replaced"),
    *("reuse-ignored", "reuse-terminates", "missing-get"),
    *("missing-calls-refused", "without-payloads", "dapr-service"),
]

GUARDED_CASES = ["hello", "dapr-service"]


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, outcomes_of: OutcomesOf) -> None:
    outcome = outcomes_of(GO)[case]
    assert outcome["ok"], outcome["detail"]


def test_the_application_has_no_other_cases(outcomes_of: OutcomesOf) -> None:
    assert sorted(outcomes_of(GO)) == sorted(CASES)


def test_it_shows_its_token(guarded: Server, tmp_path: Path) -> None:
    outcomes = run_cases(GO, guarded, tmp_path / "application.log", *GUARDED_CASES)
    assert all(outcome["ok"] for outcome in outcomes.values()), outcomes
    assert set(outcomes) == set(GUARDED_CASES)


def test_the_worker_outlives_a_killed_server(begin: Begin) -> None:
    run = begin(GO)
    run.server.kill()
    run.server.start()
    run.second_runs(attempt=2)
    run.finish()


def test_the_worker_outlives_a_stopped_server(begin: Begin) -> None:
    run = begin(GO)
    assert run.server.stop() == 0
    run.server.start()
    run.second_runs(attempt=2)
    run.finish()


def test_another_worker_takes_over_from_a_killed_one(begin: Begin) -> None:
    run = begin(GO)
    run.program.kill()
    run.hire()
    run.second_runs(attempt=1)
    run.finish()
