"""The exit codes are a promise: they are written down, and each has its line there."""

import re
from pathlib import Path

from perdure.app.options import OPTIONS
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.flags import FLAGS

TEXT = (Path(__file__).parents[3] / "docs/command-line.md").read_text("utf-8")


def test_every_code_is_written_down() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert told == set(ExitCode)


def test_every_flag_is_written_down_with_its_first_variable() -> None:
    by_key = {option.key: option for option in OPTIONS}
    for flag in FLAGS:
        assert f"`{flag.name}`" in TEXT
        assert any(f"`{name}`" in TEXT for name in by_key[flag.key].environment), flag.name


def test_trouble_fails_unless_it_says_otherwise() -> None:
    trouble = Trouble("It broke.", advice="Mend it.")
    assert trouble.code is ExitCode.FAILED
    assert str(trouble) == "It broke."
