"""What is handed to a workflow: JSON, told where it stops being JSON, and tags."""

import io
import sys
from pathlib import Path

import pytest

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.payloads import read_payload, read_tags, tag_headers
from perdure.wire.tags import parse_cookie_pairs


def read(given: str | None = None, file: Path | None = None, *, raw: bool = False) -> bytes | None:
    return read_payload(given, file, flag="--input", raw=raw)


def trouble_of(given: str | None = None, file: Path | None = None) -> Trouble:
    with pytest.raises(Trouble) as caught:
        read(given, file)
    assert caught.value.code is ExitCode.USAGE
    return caught.value


def test_nothing_given_is_no_payload() -> None:
    assert read() is None


@pytest.mark.parametrize("text", ['{"a": 1.10}', "[]", "null", '"x"', "17", " true "])
def test_json_is_sent_as_it_is_written(text: str) -> None:
    assert read(text) == text.encode()


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text('{"items": 3}', "utf-8")
    assert read(file=file) == b'{"items": 3}'


@pytest.mark.parametrize("as_file", [False, True])
def test_a_dash_is_the_standard_input(monkeypatch: pytest.MonkeyPatch, as_file: bool) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[1]")))
    assert (read(file=Path("-")) if as_file else read("-")) == b"[1]"


def test_raw_is_not_looked_at() -> None:
    assert read("not json", raw=True) == b"not json"


def test_the_position_is_shown() -> None:
    trouble = trouble_of('{"items": 3 "gift": true}')
    assert "line 1, column 13" in trouble.message
    excerpt, pointer, *_ = trouble.advice.splitlines()
    assert excerpt[pointer.index("^")] == '"'


def test_the_position_is_shown_in_the_line_it_is_in(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text('{\n  "items": 3,\n  "gift": yes\n}', "utf-8")
    trouble = trouble_of(file=file)
    assert f"{file} is not JSON" in trouble.message
    assert "line 3, column 11" in trouble.message
    assert '  "gift": yes' in trouble.advice


def test_an_excerpt_of_a_long_line_stays_short() -> None:
    trouble = trouble_of("[" + "1," * 5_000 + "x]")
    assert all(len(line) < 100 for line in trouble.advice.splitlines())


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("berlin", """'"berlin"'"""),
        ("", "--raw"),
        ("{'a': 1}", "not with '"),
        ('{"a": }', "Quote the whole"),
        ("NaN", "null"),
        ('{"a": Infinity}', "null"),
    ],
)
def test_what_to_do_fits_what_is_wrong(text: str, advice: str) -> None:
    assert advice in trouble_of(text).advice


def test_what_is_not_utf8_is_told(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(b'"\xff"')
    assert "byte 1 is not UTF-8" in trouble_of(file=file).message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "No such file" in trouble_of(file=tmp_path / "none.json").message


def test_one_payload_is_enough(tmp_path: Path) -> None:
    assert "both given" in trouble_of("1", tmp_path / "x").message


def test_tags_are_pairs_and_the_last_of_a_key_wins() -> None:
    assert read_tags(["a=1", " b = x=y", "a=2"]) == {"a": "2", "b": " x=y"}


@pytest.mark.parametrize("pair", ["a", "=1", " =1", "a=1;b=2"])
def test_what_is_no_tag_is_told(pair: str) -> None:
    with pytest.raises(Trouble, match="--tag"):
        read_tags([pair])


def test_the_server_reads_tags_as_they_were_given() -> None:
    tags = {"a": ' "quoted" ', "b": "x=y, z", "straße": "köln"}
    headers = tag_headers(tags)
    assert {name for name, _ in headers} == {"dapr-workflow-metadata"}
    assert dict(parse_cookie_pairs(value for _, value in headers)) == tags


def test_a_number_may_have_any_length() -> None:
    assert read("1" * 10_000)


def test_json_that_is_too_deep_to_check_is_told() -> None:
    assert "--raw" in trouble_of("[" * 100_000).advice
