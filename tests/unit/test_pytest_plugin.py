"""The plugin of pytest: its fixtures, what can be set, and that it loads nothing by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

APP = """
from perdure.authoring.registry import Registry

app = Registry()


@app.workflow()
def order(ctx, amount):
    receipt = yield ctx.call_activity("charge", amount)
    yield ctx.create_timer(ctx.current_utc_datetime.replace(year=2099))
    return receipt
"""
TESTS = """
import os

from perdure.testing import VirtualEngine, faults


def test_an_order(workflow_engine):
    assert isinstance(workflow_engine, VirtualEngine)
    workflow_engine.replace("charge", "receipt")
    assert workflow_engine.run("order", 3) == "receipt"


def test_each_has_its_own(workflow_engine):
    assert workflow_engine.instances() == []


def test_engines_are_made(make_workflow_engine):
    engine = make_workflow_engine(replay_each_turn=False, turns_max=9)
    engine.replace("charge", 7)
    assert engine.run("order", 3) == 7


tried = []


@faults(app="shop:app")
def test_faults(engine):
    tried.append(engine)
    engine.replace("charge", "receipt")
    engine.run("order", 3)


def test_it_was_tried_as_often_as_was_asked_for():
    assert len(tried) == 3
    assert os.environ["PERDURE_SEED"] == "5"
"""
PYTEST = [
    sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:perdure",
    "-p", "perdure.pytest_plugin",
]  # fmt: skip


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTEST, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "test_shop.py").write_text(TESTS)
    return tmp_path


def test_fixtures_give_engines_for_the_app_that_is_configured(shop: Path) -> None:
    (shop / "pytest.ini").write_text("[pytest]\nperdure_app = shop:app\n")
    done = run(shop, "--workflow-trials", "3", "--workflow-seed", "5")
    assert "5 passed" in done.stdout, done.stdout + done.stderr


def test_without_an_app_a_test_is_told_what_to_do(shop: Path) -> None:
    done = run(shop, "-k", "an_order")
    assert "Set perdure_app = MODULE:NAME" in done.stdout, done.stdout + done.stderr


def test_a_fixture_of_ones_own_names_the_app(shop: Path) -> None:
    (shop / "conftest.py").write_text(
        "import pytest, shop\n\n\n@pytest.fixture\ndef workflow_app():\n    return shop\n"
    )
    done = run(shop, "-k", "an_order or own or made")
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_nothing_is_loaded_before_a_test_asks_for_it() -> None:
    program = (
        "import perdure.pytest_plugin, sys; print(*[m for m in sys.modules if 'perdure' in m])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert loaded.stdout.split() == ["perdure", "perdure.pytest_plugin"]
