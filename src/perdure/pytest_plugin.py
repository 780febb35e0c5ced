"""Fixtures for tests of workflows. pytest finds this module by itself where perdure is installed.

It is loaded in every run of pytest, of whatever project, so it loads nothing: what a test needs is
loaded when a test asks for it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final, TypeAlias

import pytest

# They are of classes that are not loaded yet.
Engine: TypeAlias = Any
MakeEngine: TypeAlias = Callable[..., Any]

_APP: Final = "perdure_app"
_TRIALS: Final = "--workflow-trials"
_SEED: Final = "--workflow-seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what can be set."""
    parser.addini(_APP, "MODULE:NAME of what the workflows under test are registered with")
    group = parser.getgroup("perdure", "workflows (perdure)")
    group.addoption(
        _TRIALS, type=int, metavar="N", help="how often a test with @faults is tried, at most"
    )
    group.addoption(
        _SEED, type=int, metavar="N", help="what the trials of tests with @faults are drawn from"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hand on what was asked for, to the processes of a distributed run as well."""
    trials, seed = config.getoption(_TRIALS), config.getoption(_SEED)
    if trials is None and seed is None:
        return
    from perdure.testing.faults import SEED_VARIABLE, TRIALS_VARIABLE  # noqa: PLC0415 - see above

    for variable, value in ((TRIALS_VARIABLE, trials), (SEED_VARIABLE, seed)):
        if value is not None:
            os.environ[variable] = str(value)


@pytest.fixture
def workflow_app(pytestconfig: pytest.Config) -> Any:
    """What the workflows under test are registered with.

    By default it is what `perdure_app` names in the configuration of pytest; a test, a class or a
    `conftest.py` may have a fixture of this name of its own.
    """
    named = pytestconfig.getini(_APP)
    if not named:
        raise pytest.UsageError(
            "which workflows are tested? Set perdure_app = MODULE:NAME in the configuration of "
            "pytest, or define a fixture workflow_app that returns what they are registered with"
        )
    return named


@pytest.fixture
def make_workflow_engine(workflow_app: Any) -> Iterator[MakeEngine]:
    """Make engines with what VirtualEngine takes by name; they are closed after the test."""
    from perdure.testing import VirtualEngine  # noqa: PLC0415 - see above

    with ExitStack() as engines:

        def make(application: Any = None, **terms: Any) -> VirtualEngine:
            application = workflow_app if application is None else application
            return engines.enter_context(VirtualEngine(application, **terms))

        yield make


@pytest.fixture
def workflow_engine(make_workflow_engine: MakeEngine) -> Engine:
    """A `perdure.testing.VirtualEngine` of its own for each test: memory, and time that jumps."""
    return make_workflow_engine()
