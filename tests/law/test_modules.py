"""Every module says what it is for and is named after what it holds; a unit test has its module."""

import ast
import re

from tests.law import tree

# Words that say nothing about what a room holds, or that mean two things here (`command`).
_EMPTY_WORDS = re.compile(
    r"(?:^|_)(?:manager|handler|helper|util|common|misc|command)s?(?=_|$)",
)


def test_every_module_says_what_it_is_for() -> None:
    files = (*tree.source_files(), *tree.test_files(), *tree.program_files())
    silent = [tree.name_of(path) for path in files if not ast.get_docstring(tree.parsed(path))]
    assert not silent, "no docstring: " + ", ".join(silent)


def test_names_say_what_a_module_holds() -> None:
    files = (*tree.source_files(), *tree.test_files(), *tree.program_files())
    empty = [
        tree.name_of(path)
        for path in files
        if any(
            _EMPTY_WORDS.search(part) for part in path.relative_to(tree.ROOT).with_suffix("").parts
        )
    ]
    assert not empty, "name them after what they hold: " + ", ".join(empty)


def test_every_unit_test_has_its_module() -> None:
    """`unit/core/test_turn.py` and `unit/core/test_turn_children.py` both test `core/turn.py`."""
    unit = tree.TESTS / "unit"
    orphans = [
        tree.name_of(path)
        for path in tree.test_files()
        if unit in path.parents
        and path.name.startswith("test_")
        and not _has_module(path.relative_to(unit).parent.as_posix(), path.stem)
    ]
    assert not orphans, "no module of that name: " + ", ".join(orphans)


def _has_module(folder: str, test_name: str) -> bool:
    subject = test_name.removeprefix("test_")
    return (
        any(
            path.parent == tree.SOURCE / folder
            and (subject == path.stem or subject.startswith(f"{path.stem}_"))
            for path in tree.source_files()
        )
        or (tree.SOURCE / folder / subject).is_dir()
    )
