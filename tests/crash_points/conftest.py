"""The recorder, and each life recorded once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash_points.recording import Step, build, record

Recorded = Callable[[str], tuple[Step, ...]]


@pytest.fixture
def stride(request: pytest.FixtureRequest) -> int:
    """How many writes lie between two that are tried, unless something happens there."""
    return 1 if request.config.getoption("--every-write") else 12


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return the steps of a life."""
    library = build(tmp_path_factory.mktemp("recorder"))
    lives: dict[str, tuple[Step, ...]] = {}

    def steps_of(life: str) -> tuple[Step, ...]:
        if life not in lives:
            lives[life] = record(library, life, Path(tmp_path_factory.mktemp(life)))
        return lives[life]

    return steps_of
