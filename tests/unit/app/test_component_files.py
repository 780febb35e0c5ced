"""Component files: what is loaded, what is warned about, what is refused."""

from pathlib import Path

import pytest

from perdure.app.component_files import Resources, read_resources
from perdure.base.errors import ConfigurationError


def component(name: str, type_: str, more: str = "") -> str:
    return (
        "apiVersion: dapr.io/v1alpha1\nkind: Component\n"
        f"metadata:\n  name: {name}\nspec:\n  type: {type_}\n  version: v1\n{more}"
    )


def read(folder: Path, *texts: str) -> Resources:
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    return read_resources([folder], app_id="shop")


def refusal(folder: Path, *texts: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, *texts)
    return str(caught.value).removeprefix(f"{folder}/")


def test_a_component_of_another_building_block_has_no_effect(tmp_path: Path) -> None:
    found = read(tmp_path, component("statestore", "state.redis"))
    assert found.names == {"statestore"}
    assert found.warnings == [
        f"{tmp_path}/0.yaml:6:3: state.redis is not used by perdure and has no effect"
    ]


def test_only_yaml_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("kind: [")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "b.yml").write_text(component("b", "state.x"))
    assert read_resources([tmp_path], app_id="shop").names == {"b"}


def test_a_path_may_be_one_file(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(component("b", "state.x"))
    assert read_resources([file], app_id="shop").names == {"b"}


def test_a_component_for_other_apps_is_passed_over(tmp_path: Path) -> None:
    found = read(tmp_path, component("x", "workflow.temporal", "scopes: [other]\n"))
    assert found == Resources()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            [component("t", "workflow.other")],
            "0.yaml:6:3: workflow.other cannot be loaded: the type may be workflow.temporal",
        ),
        (
            [component("mine", "workflow.dapr")],
            "0.yaml:6:3: workflow.dapr cannot be loaded: the embedded engine is always loaded",
        ),
        (
            [component("dapr", "workflow.temporal")],
            "0.yaml:4:3: the name dapr belongs to the embedded engine",
        ),
        (
            [component("a", "state.x"), component("a", "state.y")],
            "1.yaml:4:3: a component a is loaded already",
        ),
        (["kind: Component\n"], "0.yaml:1:1: apiVersion: this key is missing"),
        (
            ["apiVersion: x\nkind: Component\nmetadata: {name: a}\nspec: {}\n"],
            "0.yaml:4:1: spec.type: this key is missing",
        ),
        (["just text\n"], "0.yaml:1:1: expected a resource"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, texts: list[str], expected: str) -> None:
    assert refusal(tmp_path, *texts).startswith(expected)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_resources([tmp_path / "gone"], app_id="shop")
