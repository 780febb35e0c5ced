"""The public names change on purpose, never by accident, and the version is told once."""

import re
from importlib.metadata import version

import perdure
from tests.law import tree

PUBLIC_NAMES = ["__version__"]


def test_public_names_are_these() -> None:
    assert perdure.__all__ == PUBLIC_NAMES


def test_public_names_are_there() -> None:
    assert all(hasattr(perdure, name) for name in perdure.__all__)


def test_the_changelog_opens_with_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", tree.text_of(tree.ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == perdure.__version__


def test_the_installed_version_is_this_version() -> None:
    assert version("perdure") == perdure.__version__
