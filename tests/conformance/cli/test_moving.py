"""`promote`, `export` and `import` as people run them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.moving.instance_files import read_file
from perdure.store.postgres.store import PostgresStore
from perdure.store.sqlite import SqliteStore
from tests.conformance.cli.calling import PROGRAM, Caller
from tests.conformance.store.making import bear, birth
from tests.kit.schemas import a_schema
from tests.kit.wholes import fill

_MANY = 400


@pytest.fixture
def filled(caller: Caller) -> Path:
    store = SqliteStore(caller.folder / "wf.db")
    fill(store)
    store.close()
    return caller.folder / "wf.db"


def _path(caller: Caller, name: str) -> str:
    return str(caller.folder / name)


def _rows(place: Path | str) -> list[tuple[object, ...]]:
    """What a store holds, but for the counters and the numbers and notes of promotions."""
    store = _opened(str(place))
    rows = [row for row in store.dump() if row[0] not in {"counters", "note"}]
    rows += [row[2:] for row in store.dump() if row[0] == "note" and "promot" not in str(row[2])]
    store.close()
    return rows


def test_a_file_is_promoted(caller: Caller, filled: Path, target: str) -> None:
    before = filled.read_bytes()
    told = caller.inside("promote", str(filled), target, "--dry-run").stdout
    assert "4 workflows would be moved" in told
    assert not Path(target).exists(), "a look makes no file"
    outcome = caller.inside("promote", str(filled), target)
    assert "history" in outcome.stdout
    assert "Everything is in" in outcome.stdout
    assert "copying: 4 of 4 workflows" in outcome.stderr
    assert filled.read_bytes() == before
    assert _rows(target) == _rows(filled)
    assert "perdure@" not in outcome.stdout + outcome.stderr, "who logs in there is not shown"


def test_programs_read_what_was_promoted(caller: Caller, filled: Path) -> None:
    target = _path(caller, "target.db")
    ahead = json.loads(caller.inside("promote", str(filled), target, "--dry-run", "--json").stdout)
    assert ahead["obstacle"] is None
    assert sum(ahead["instances"].values()) == 4
    done = json.loads(caller.inside("promote", str(filled), target, "--json").stdout)
    assert {table: told["rows"] for table, told in done["tables"].items()}["instances"] == 4
    told = caller.inside("promote", str(filled), target, "--dry-run", "--json", code=4)
    assert json.loads(told.stdout)["obstacle"]["reason"] == "holds others"


def test_a_file_that_is_served_is_not_promoted(caller: Caller, filled: Path) -> None:
    served = SqliteStore(filled)
    told = caller.inside("promote", str(filled), _path(caller, "target.db"), code=4).stderr
    assert f"in use by process {os.getpid()}" in told
    assert "Stop it with" in told
    served.close()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing.db", "target.db"), 1, "there is no such file.\n  Nothing was moved."),
        (("postgres://db/name", "target.db"), 2, "postgres://… is no file."),
        (("wf.db", "wf.db"), 2, "this is the file that is to be moved"),
        (("wf.db", "postgre://db/name"), 2, "postgre:// is no store"),
        (("wf.db",), 2, "name the file to move from and the store to move to"),
        (("--abandon", "wf.db"), 4, "No promotion into"),
    ],
)
def test_what_cannot_be_promoted_is_told(
    caller: Caller, filled: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    given = [
        each if each.startswith("-") or "://" in each else _path(caller, each) for each in arguments
    ]
    assert words in caller.inside("promote", *given, code=code).stderr
    assert filled.exists()


def test_a_target_with_others_is_refused_unless_told(caller: Caller, filled: Path) -> None:
    target = SqliteStore(_path(caller, "target.db"))
    bear(target, "other")
    target.close()
    told = caller.inside("promote", str(filled), _path(caller, "target.db"), code=4).stderr
    assert "holds workflows already: other" in told
    caller.inside("promote", str(filled), _path(caller, "target.db"), "--beside-others")
    again = ("promote", str(filled), _path(caller, "target.db"), "--beside-others")
    assert "of the same ids: full, child" in caller.inside(*again, code=4).stderr


@pytest.fixture(params=["file", "postgres"])
def target(request: pytest.FixtureRequest, caller: Caller) -> Iterator[str]:
    """Where to promote to."""
    if request.param == "file":
        yield _path(caller, "target.db")
        return
    with a_schema() as url:
        yield url


def _opened(place: str) -> SqliteStore | PostgresStore:
    return PostgresStore(place) if "://" in place else SqliteStore(place)


def test_killed_in_the_middle_it_goes_on_and_no_server_starts_before(
    caller: Caller, target: str
) -> None:
    source = _path(caller, "wf.db")
    store = SqliteStore(source)
    for at in range(_MANY):
        bear(store, f"order-{at}", inbox=birth("x").inbox)
    store.close()
    # The first piece has landed when the second is begun.
    program = (
        "import os, signal\n"
        "from perdure.store.sqlite.store import SqliteStore\n"
        "from perdure.store.postgres.store import PostgresStore\n"
        f"kind = {'PostgresStore' if '://' in target else 'SqliteStore'}\n"
        "received, receive = [], kind.receive\n"
        "def dying(self, shipment):\n"
        "    if received: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    received.append(shipment)\n"
        "    return receive(self, shipment)\n"
        "kind.receive = dying\n"
        "from perdure.cli.main import main\n"
        f"main(['promote', {source!r}, {target!r}])\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    half = _opened(target)
    assert 0 < sum(half.counts().values()) < _MANY
    half.close()
    refused = subprocess.run(
        [*PROGRAM, "serve", "--store", target, "--dapr-http-port", "0", "--dapr-grpc-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 4
    assert "is being promoted into this store and has not arrived as a whole" in refused.stderr
    if "://" not in target:
        assert "is being promoted" in caller.inside("promote", target, "x.db", code=4).stderr
    caller.inside("promote", source, target)
    assert _rows(target) == _rows(source)


def test_no_password_is_told(caller: Caller, filled: Path) -> None:
    secret = "postgres://someone:hunter2@127.0.0.1:1/workflows"
    for arguments in (("promote", str(filled), secret), ("promote", "--abandon", secret)):
        assert "hunter2" not in caller.inside(*arguments, code=1).stderr


def test_workflows_are_exported_from_postgres_and_imported_there(
    caller: Caller, filled: Path
) -> None:
    with a_schema() as first, a_schema() as second:
        caller.inside("promote", str(filled), first)
        out = ("--to", _path(caller, "out"), "--children")
        told = caller.inside("export", "full", "--store", first, *out).stdout
        every = caller.inside(
            "export", "--unfinished", "--store", first, "--to", _path(caller, "unfinished")
        )
        kept = caller.inside(
            "export", "--unfinished", "--store", str(filled), "--to", _path(caller, "kept")
        )
        assert [Path(line).name for line in every.stdout.splitlines()] == [
            Path(line).name for line in kept.stdout.splitlines()
        ]
        assert every.stdout
        caller.inside("import", *told.splitlines(), "--store", second)
        store = _opened(second)
        assert [instance_id for _, instance_id in store.list_ids(0, 9)] == ["full", "child"]
        store.close()


def test_what_was_begun_is_taken_back(caller: Caller, filled: Path) -> None:
    target = SqliteStore(_path(caller, "target.db"))
    bear(target, "other")
    target.close()
    program = (
        "import os, signal\n"
        "from perdure.moving import promoting\n"
        "promoting.mend_notes = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from perdure.cli.main import main\n"
        f"main(['promote', {str(filled)!r}, {target_name(caller)!r}, '--beside-others'])\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    told = caller.inside("promote", "--abandon", target_name(caller)).stdout
    assert "Taken out of" in told
    assert "4 workflows" in told
    left = SqliteStore(target_name(caller))
    assert [instance_id for _, instance_id in left.list_ids(0, 9)] == ["other"]
    left.close()


def target_name(caller: Caller) -> str:
    return _path(caller, "target.db")


def test_workflows_are_exported_and_imported(caller: Caller, filled: Path) -> None:
    folder = caller.folder / "out"
    told = caller.inside(
        "export", "full", "--store", str(filled), "--to", str(folder), "--children"
    )
    files = [Path(line) for line in told.stdout.splitlines()]
    assert [path.name for path in files] == ["full.perdure.jsonl", "child.perdure.jsonl"]
    target = _path(caller, "target.db")
    caller.inside("import", *map(str, reversed(files)), "--store", target)
    store = SqliteStore(target)
    full = store.snapshot("full")
    assert full is not None
    assert [each.identity.instance_id for each in store.children(full.key)] == ["child"]
    assert [row.add.kind for row in store.lifecycle(0, 9)] == ["imported", "imported"]
    store.close()
    again = caller.inside("import", *map(str, files), "--store", target, code=4)
    assert "holds workflows of the same ids: full, child" in again.stderr


def test_an_export_needs_no_stop(caller: Caller, filled: Path) -> None:
    served = SqliteStore(filled)
    bear(served, "new")
    told = caller.inside("export", "new", "--store", str(filled), "--to", _path(caller, "out"))
    assert read_file(Path(told.stdout.strip())).whole.identity.instance_id == "new"
    refused = caller.inside("import", told.stdout.strip(), "--store", str(filled), code=4)
    assert "A server runs on it. Stop it, import" in refused.stderr
    served.close()


def test_an_id_that_is_not_there_is_told(caller: Caller, filled: Path) -> None:
    arguments = ("--store", str(filled), "--to", _path(caller, "out"), "--json")
    told = caller.inside("export", "full", "none", *arguments, code=3)
    assert json.loads(told.stdout)["missing"] == ["none"]
    assert "no workflow with the id 'none'" in told.stderr


def test_files_that_cannot_be_imported_are_told_and_no_store_is_made(
    caller: Caller, filled: Path
) -> None:
    out = _path(caller, "out")
    caller.inside("export", "full", "--store", str(filled), "--to", out)
    file = Path(out) / "full.perdure.jsonl"
    target = _path(caller, "target.db")
    told = caller.inside("import", str(file), str(file), "--store", target, code=2).stderr
    assert "full is in more than one file" in told
    file.write_bytes(file.read_bytes()[:-20])
    told = caller.inside("import", str(file), "--store", target, code=2).stderr
    assert "the file is cut off" in told
    assert not Path(target).exists()


def test_who_is_alone_is_told(caller: Caller, filled: Path) -> None:
    caller.inside("export", "child", "--store", str(filled), "--to", _path(caller, "out"))
    file = _path(caller, "out/child.perdure.jsonl")
    told = caller.inside("import", file, "--store", _path(caller, "target.db"))
    assert "child is bound to full, which was not imported with it" in told.stderr


def test_a_server_tells_of_history(shop: Caller, tmp_path: Path) -> None:
    shop.ask("start", "order", "--id", "told-1", "--input", '{"items": 3}', "--tag", "a=b")
    shop.ask("raise-event", "told-1", "approved", "--input", '{"ok": true}')
    shop.ask("watch", "told-1")
    shop.ask("start", "order", "--id", "told-2", "--input", '{"items": 3}')
    told = shop.inside("export", "told-1", "told-2", "--to", str(tmp_path)).stdout
    first, second = (read_file(Path(line)) for line in told.splitlines())
    assert not first.complete
    assert first.whole.identity.name == "order"
    assert first.whole.identity.tags == (("a", "b"),)
    assert first.whole.history[-1].kind == 4
    refused = shop.inside("import", str(tmp_path / "told-2.perdure.jsonl"), "--store", "x", code=2)
    assert "was told by a running server" in refused.stderr
    assert second.whole.head.completed_at_us is None
    store = str(tmp_path / "target.db")
    shop.inside("import", str(tmp_path / "told-1.perdure.jsonl"), "--store", store)
    imported = SqliteStore(store)
    loaded = imported.load("told-1")
    imported.close()
    assert loaded is not None
    assert loaded.history == first.whole.history


def test_children_are_known_to_stores_alone(caller: Caller) -> None:
    told = caller.inside("export", "a", "--to", _path(caller, "out"), "--children", code=2).stderr
    assert "--children needs --store" in told


@pytest.mark.parametrize("name", ["letter", "letter/below"])
def test_a_folder_that_cannot_be_made_is_told(caller: Caller, filled: Path, name: str) -> None:
    (caller.folder / "letter").write_text("Dear reader,")
    told = caller.inside(
        "export", "full", "--store", str(filled), "--to", _path(caller, name), code=1
    ).stderr
    assert "cannot be written:" in told
    assert "Name another folder with --to." in told
