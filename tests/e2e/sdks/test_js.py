"""The released JavaScript SDK, unmodified: its worker and its client against a real server."""

from pathlib import Path

import pytest

from tests.e2e.sdks.applications import JS, run_cases
from tests.e2e.sdks.conftest import Begin, OutcomesOf
from tests.e2e.serving import Server

# The first test builds the application and waits until all its cases are run.
pytestmark = pytest.mark.timeout(700)

CASES = [
    *("hello", "chain3", "fanout10", "timer", "child-result", "child-many"),
    *("child-failure-caught", "activity-retry", "workflow-failure", "unregistered-activity"),
    *("unregistered-workflow", "custom-status", "unicode", "large-payload", "many-50"),
    *(
        "many-200",
        "fanout200-slow",
        "race-event",
        "race-timer",
        "event-other-case",
        "event-without-payload",
    ),
    *(
        "event-buffered",
        "events-in-order",
        "continue-as-new",
        "suspend-event-resume",
        "suspend-timer-resume",
    ),
    *("wait-for-start", "scheduled-start", "terminate-with-output", "terminate-suspended"),
    *("terminate-parent-only", "purge", "purge-running-refused", "finished-is-left-alone"),
    *("id-in-use-refused", "finished-id-replaced", "missing-get", "missing-calls-refused"),
    *("without-payloads", "dapr-http", "dapr-http-terminate"),
]

GUARDED_CASES = ["hello", "dapr-http"]


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, outcomes_of: OutcomesOf) -> None:
    outcome = outcomes_of(JS)[case]
    assert outcome["ok"], outcome["detail"]


def test_the_application_has_no_other_cases(outcomes_of: OutcomesOf) -> None:
    assert sorted(outcomes_of(JS)) == sorted(CASES)


def test_it_shows_its_token(guarded: Server, tmp_path: Path) -> None:
    outcomes = run_cases(JS, guarded, tmp_path / "application.log", *GUARDED_CASES)
    assert all(outcome["ok"] for outcome in outcomes.values()), outcomes
    assert set(outcomes) == set(GUARDED_CASES)


def test_the_worker_outlives_a_stopped_server_and_then_a_killed_one(begin: Begin) -> None:
    # A stream that ends well lets this worker connect again; after that it survives anything.
    run = begin(JS)
    assert run.server.stop() == 0
    run.server.start()
    run.second_runs(attempt=2)
    run.server.kill()
    run.server.start()
    run.second_runs(attempt=3)
    run.finish()


def test_a_new_process_goes_on_after_a_killed_server(begin: Begin) -> None:
    # A worker whose first stream breaks is dead for good in this release: its process remains,
    # but only another one brings the workflow on.
    run = begin(JS)
    run.server.kill()
    run.server.start()
    run.program.kill()
    run.hire()
    run.second_runs(attempt=1)
    run.finish()


def test_another_worker_takes_over_from_a_killed_one(begin: Begin) -> None:
    run = begin(JS)
    run.program.kill()
    run.hire()
    run.second_runs(attempt=1)
    run.finish()
