"""`perdure bridge` as a person meets it: the help, and what is said when it cannot run."""

import sys

import pytest

from perdure.cli.main import main


def test_its_help_tells_its_own_flags_and_not_those_of_a_store(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bridge", "--help"]) == 0
    told = capsys.readouterr().out
    assert "--temporal " in told
    assert "--task-queue" in told
    assert "--dapr-grpc-port" in told
    assert "--store" not in told


def test_without_the_client_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("temporalio", "perdure.bridge"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "perdure.app.bridging", raising=False)
    monkeypatch.setitem(sys.modules, "temporalio", None)
    assert main(["bridge"]) == 2
    assert "pip install 'perdure[temporal]'" in capsys.readouterr().err


def test_a_bad_flag_is_blamed_and_the_right_help_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bridge", "--temporal", "nowhere"]) == 2
    told = capsys.readouterr().err
    assert "--temporal nowhere: expected HOST:PORT" in told
    assert "perdure bridge --help" in told


def test_no_cluster_is_told_in_few_words(capfd: pytest.CaptureFixture[str]) -> None:
    free = ["--dapr-http-port", "0", "--dapr-grpc-port", "0"]
    assert main(["bridge", "--temporal", "127.0.0.1:1", *free]) == 2
    told = capfd.readouterr().err
    assert "no Temporal cluster answers there" in told
    assert "refused" in told
