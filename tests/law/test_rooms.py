"""The rooms that there are, the contract of the floors, and the page that tells of them agree."""

import re
import tomllib

from tests.law import tree

# A row of the page's table of floors: the number of the floor, its rooms, what they hold.
_ROW = re.compile(r"^\| (?P<floor>[\d½¼¾]+) \| (?P<rooms>[^|]+) \|", re.MULTILINE)


def _there() -> set[str]:
    """Every package and module right below ours, save the package itself and its program."""
    found = {path.relative_to(tree.SOURCE).parts[0] for path in tree.source_files()}
    return {name.removesuffix(".py") for name in found} - {"__init__", "__main__"}


def _floors() -> list[set[str]]:
    """The floors of the contract, the highest first."""
    project = tomllib.loads(tree.text_of(tree.ROOT / "pyproject.toml"))
    (contract,) = (
        each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"
    )
    return [set(layer.split(" | ")) for layer in contract["layers"]]


def test_every_room_is_on_a_floor() -> None:
    assert set[str]().union(*_floors()) == _there()


def test_the_page_tells_of_every_room_and_of_its_floor() -> None:
    floors: dict[str, set[str]] = {}
    for row in _ROW.finditer(tree.text_of(tree.ROOT / "docs/architecture.md")):
        rooms = re.findall(r"`(\w+)(?:/\w+)?`", row["rooms"])
        floors.setdefault(row["floor"], set()).update(rooms)
    assert list(floors.values()) == _floors()
