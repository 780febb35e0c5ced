"""Files are read as plain data, with places, and no file is a bomb."""

from pathlib import Path

import pytest

from perdure.app.yaml_files import DEPTH_MAX, FILE_BYTES_MAX, Document, read_documents
from perdure.base.errors import ConfigurationError


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "f.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(folder: Path, text: str | bytes) -> Document:
    [document] = read_documents(written(folder, text))
    return document


def refusal(folder: Path, text: str | bytes) -> str:
    file = written(folder, text)
    with pytest.raises(ConfigurationError) as caught:
        read_documents(file)
    assert str(caught.value).startswith(f"{file}:")
    return str(caught.value).removeprefix(f"{file}:")


def test_values_and_their_places(tmp_path: Path) -> None:
    document = read(tmp_path, "a: 1\nb:\n  - c: x\n    d: true\n")
    assert document.value == {"a": 1, "b": [{"c": "x", "d": True}]}
    assert document.place(("b", 0, "d")) == f"{tmp_path}/f.yaml:4:5"


def test_a_place_that_is_not_there_is_its_parents(tmp_path: Path) -> None:
    document = read(tmp_path, "a:\n  b: 1\n")
    assert document.place(("a", "missing", 3)) == f"{tmp_path}/f.yaml:1:1"


def test_several_documents_and_empty_ones(tmp_path: Path) -> None:
    found = read_documents(written(tmp_path, "---\na: 1\n---\n---\nb: 2\n"))
    assert [document.value for document in found] == [{"a": 1}, {"b": 2}]


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert read_documents(written(tmp_path, "# nothing\n")) == []


def test_aliases_are_unfolded(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x [1]\nb: *x\n").value == {"a": [1], "b": [1]}


def test_a_date_stays_text(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 2024-01-01\n").value == {"a": "2024-01-01"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1, 2\nb: 3\n", "2:2: this is not YAML"),
        ("a: 1\na: 2\n", "2:1: the key a stands here a second time"),
        ("a: !!python/object:os.system x\n", "1:4: expected plain data"),
        ("a: !custom {b: 1}\n? [c]\n: 1\n", "2:3: expected a key that is text"),
        ("x: &x {a: 1}\ny:\n  <<: *x\n", "3:3: expected a key that is text"),
        ("a: *nowhere\n", "1:4: this is not YAML"),
        ("a: &a [*a]\n", "1:4: is nested deeper than"),
        (b"ok: 1\n\xff\xfe\n", "2:1: expected UTF-8 text"),
        ("a: \x01\n", "1:1: this is not YAML"),
    ],
)
def test_refusals_name_line_and_column(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert refusal(tmp_path, text).startswith(expected)


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "values, aliases unfolded" in refusal(tmp_path, "\n".join(lines))


def test_a_deep_file_is_refused(tmp_path: Path) -> None:
    assert "nested deeper" in refusal(tmp_path, "[" * 100_000)
    assert "nested deeper" in refusal(tmp_path, "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "is larger than" in refusal(tmp_path, "#" * (FILE_BYTES_MAX + 1))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.yaml: cannot be read: No such file"):
        read_documents(tmp_path / "gone.yaml")
