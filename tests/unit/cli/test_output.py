"""What is written: results to the standard output, all else to the standard error."""

import json

import pytest
from rich.table import Table

from perdure.cli import output
from perdure.cli.exits import Trouble


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": ["ü", "\x9b", None, 1.5]}
    output.show_json(value)
    output.show_json_line(value)
    text = capsys.readouterr().out
    assert text.count("\n") == 9
    assert json.loads(text.splitlines()[-1]) == value
    assert json.loads("\n".join(text.splitlines()[:-1])) == value


def test_a_result_for_people_has_no_markup_and_no_control_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.show("[bold]id[/bold] :smile: \x1b[31m" + "x" * 200)
    assert capsys.readouterr().out == "[bold]id[/bold] :smile: \\x1b[31m" + "x" * 200 + "\n"


def test_trouble_is_told_with_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    output.report(Trouble("It broke.", advice="Mend it.\nOr not."))
    told = capsys.readouterr()
    assert told.err == "error: It broke.\n  Mend it.\n  Or not.\n"
    assert told.out == ""


def test_notes_and_warnings_are_no_results(capsys: pytest.CaptureFixture[str]) -> None:
    output.note("Started.")
    output.warn("It may not.")
    told = capsys.readouterr()
    assert told.err == "Started.\nwarning: It may not.\n"
    assert told.out == ""


def test_a_table_in_a_pipe_is_not_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    table = Table(box=None)
    table.add_column("ID")
    table.add_row("x" * 500)
    output.show(table)
    assert "x" * 500 in capsys.readouterr().out
