"""Exports: names that any file system takes, files that are whole, and families."""

from pathlib import Path

import pytest

from perdure.base.errors import CallerFault
from perdure.moving import exporting
from perdure.moving.exporting import exported, file_name, with_descendants, write_file
from perdure.moving.instance_files import read_file
from perdure.store.memory import MemoryStore
from tests.conformance.store.making import bear
from tests.kit.wholes import fill


@pytest.mark.parametrize(
    ("instance_id", "name"),
    [
        ("order-17", "order-17.perdure.jsonl"),
        ("a/b", "a%2Fb.perdure.jsonl"),
        ("..", "%2E..perdure.jsonl"),
        (".hidden", "%2Ehidden.perdure.jsonl"),
        ("é", "%C3%A9.perdure.jsonl"),
        ("a\x00", "a%00.perdure.jsonl"),
        ("order@2024:child", "order%402024%3Achild.perdure.jsonl"),
    ],
)
def test_a_file_is_named_after_its_instance(instance_id: str, name: str) -> None:
    assert file_name(instance_id) == name


def test_long_ids_make_names_that_differ_and_are_not_too_long(tmp_path: Path) -> None:
    names = {file_name("a" * 1_000 + end) for end in ("b", "c")}
    assert len(names) == 2
    for name in names:
        (tmp_path / name).write_bytes(b"")


def test_a_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    store = MemoryStore()
    fill(store)
    for moment in (1, 2):
        file = exported(store, "full", name="wf.db", by="perdure", now_us=moment)
        assert file is not None
        assert read_file(write_file(file, tmp_path)) == file
    assert [path.name for path in tmp_path.iterdir()] == ["full.perdure.jsonl"]
    assert exported(store, "none", name="wf.db", by="perdure", now_us=1) is None


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    store = MemoryStore()
    fill(store)
    file = exported(store, "full", name="wf.db", by="perdure", now_us=1)
    assert file is not None
    with pytest.raises(FileNotFoundError):
        write_file(file, tmp_path / "none")
    (tmp_path / "full.perdure.jsonl").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_file(file, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["full.perdure.jsonl"]


def test_a_family_is_told_parents_first() -> None:
    store = MemoryStore()
    top = bear(store, "top")
    first, _ = bear(store, "first", parent_key=top), bear(store, "second", parent_key=top)
    bear(store, "below", parent_key=first)
    bear(store, "stranger")
    assert list(with_descendants(store, "top")) == ["top", "first", "below", "second"]
    assert list(with_descendants(store, "none")) == []


def test_a_family_that_is_too_large_is_not_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    top = bear(store, "top")
    for number in range(3):
        bear(store, f"child {number}", parent_key=top)
    monkeypatch.setattr(exporting, "DESCENDANTS_MAX", 4)
    assert len(list(with_descendants(store, "top"))) == 4
    monkeypatch.setattr(exporting, "DESCENDANTS_MAX", 3)
    with pytest.raises(CallerFault, match="more than 3 descendants"):
        list(with_descendants(store, "top"))
