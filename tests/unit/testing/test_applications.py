"""Whatever workflows are registered with is an application, and what is none is told so."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import perdure.workflow as wf
from perdure import Engine, Registry, SyncEngine
from perdure.base.errors import ConfigurationError
from perdure.testing.applications import registry_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that programs are run in; what is imported from it is forgotten again."""
    monkeypatch.chdir(tmp_path)
    before, paths = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = paths
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_registry_and_what_has_one() -> None:
    registry = Registry()
    assert registry_of(registry) is registry
    assert registry_of(Engine("never-opened.db", registry=registry)) is registry
    runtime = wf.WorkflowRuntime()
    assert registry_of(runtime) is runtime.registry


def test_an_engine_for_programs_that_are_not_async() -> None:
    registry = Registry()
    assert registry_of(SyncEngine("never-opened.db", registry=registry)) is registry


def test_a_module_is_searched_and_may_not_leave_a_choice() -> None:
    module = ModuleType("shop")
    with pytest.raises(ConfigurationError, match="module shop holds 0 registries"):
        registry_of(module)
    registry = Registry()
    vars(module).update(app=registry, again=registry, kind=Registry, other=wf)
    assert registry_of(module) is registry
    vars(module)["more"] = Registry()
    with pytest.raises(ConfigurationError, match=r"holds 2 registries.*name one, as in shop:app"):
        registry_of(module)


def test_words_name_a_module_and_what_is_in_it(folder: Path) -> None:
    (folder / "books").mkdir()
    (folder / "books" / "__init__.py").write_text("")
    (folder / "books" / "app.py").write_text(
        "from perdure import Registry\n\nalone = Registry()\n\n\nclass here:\n"
        "    app = Registry()\n"
    )
    found = registry_of("books.app:here.app")
    assert found is not registry_of("books.app:alone")
    assert registry_of("books.app") is registry_of("books.app:alone")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nowhere.app:app", "there is no module nowhere.app here: expected MODULE:NAME"),
        ("fine:nothing", "fine:nothing: there is no 'nothing' in"),
        ("fine:number", "7 is no application"),
        ("broken:app", "the module broken cannot be imported: ZeroDivisionError"),
        ("lacking:app", "the module lacking cannot be imported: ModuleNotFoundError: No module"),
    ],
)
def test_what_is_no_application_is_told(folder: Path, words: str, told: str) -> None:
    (folder / "fine.py").write_text("number = 7\n")
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "lacking.py").write_text("import something_that_is_not_installed\n")
    with pytest.raises(ConfigurationError) as refused:
        registry_of(words)
    assert told in str(refused.value)
