"""A store in trouble under a real server: a clear error, and nothing acknowledged is lost."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.e2e.hostile.disks import MIB, fill, full, no_file_may_grow, read_only, small_disk
from tests.e2e.hostile.hands import (
    Hands,
    assert_healthy,
    assert_nothing_unforeseen,
    complete,
    fresh,
    whole,
)
from tests.e2e.serving import HOST, Answer, Server

pytestmark = pytest.mark.timeout(240)


def server_on(disk: Path, logs: Path) -> Server:
    server = Server.in_folder(disk)
    server.log = logs / "server.log"
    return server


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.close()


def start(server: Server, instance: str, text: str = "1") -> Answer:
    path = f"/v1.0/workflows/flow/{instance}/start"
    return server.request("POST", path, json.dumps(text))


def start_until_refused(server: Server) -> tuple[list[str], str]:
    """Start workflows until one is not taken; those that were, and the one that was not."""
    taken: list[str] = []
    for _ in range(5_000):
        instance = fresh("piled")
        answer = start(server, instance, "x" * 20_000)
        if answer.status != 202:
            assert_trouble(server, answer)
            return taken, instance
        taken.append(instance)
    raise AssertionError("the disk is never full")


def assert_trouble(server: Server, answer: Answer) -> None:
    assert answer.status == 500, answer
    code = answer.json()["errorCode"]
    assert code.startswith("ERR_")
    assert code.endswith("_WORKFLOW"), "the call is named"
    message = answer.json()["message"]
    assert str(server.store) in message
    assert "disk" in message


def assert_all_there(server: Server, taken: list[str], refused: str) -> None:
    for instance in taken:
        assert server.state(instance)["runtimeStatus"] == "PENDING"
    answer = server.request("GET", f"/v1.0/workflows/dapr/{refused}")
    assert answer.status == 404, answer


def trouble(server: Server, full: AbstractContextManager[Callable[[], None]]) -> None:
    """What a server does whose disk takes nothing more, and what it does when that is over."""
    with Hands(server, fresh("quiet")) as hands:
        hands.open()
        before = fresh("half")
        held = hands.half(before)
        with full as is_over:
            taken, refused = start_until_refused(server)
            while_full(server, hands, (before, held), (taken, refused), is_over)
        hands.answer(hands.turn(), complete(2, '"healthy"'))
        assert_healthy(server, before)
        assert start(server, fresh("after")).status == 202
        whole(server, hands)
    server.kill()
    server.start()
    assert_all_there(server, taken, refused)
    assert_healthy(server, before)


def while_full(
    server: Server,
    hands: Hands,
    half: tuple[str, Any],
    piled: tuple[list[str], str],
    is_over: Callable[[], None],
) -> None:
    """It is alive, it reads, and every change is refused like the first one, until it is over."""
    before, held = half
    assert server.request("GET", "/v1.0/healthz").status == 204
    assert_all_there(server, *piled)
    for path in (f"{before}/raiseEvent/go", f"{before}/terminate", f"{before}/suspend"):
        assert_trouble(server, server.request("POST", f"/v1.0/workflows/dapr/{path}"))
    # What a worker has done is not refused: it waits.
    finishing = threading.Thread(target=hands.result, args=(held,), daemon=True)
    finishing.start()
    is_over()
    finishing.join(60)
    assert not finishing.is_alive(), "the result never landed"


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    with running(Server.in_folder(tmp_path)) as server:
        start(server, "one")
        trouble(server, no_file_may_grow(server))


def test_a_full_disk(tmp_path: Path) -> None:
    """With its log on the same disk."""
    with small_disk(tmp_path / "disk", 6 * MIB) as disk:
        if disk is None:  # this user cannot have a disk: then one whose files may not grow
            test_files_that_may_not_grow(tmp_path)
            return
        with running(server_on(disk, disk)) as server:
            start(server, "one")
            trouble(server, full(disk))


def test_a_disk_that_is_full_when_it_starts(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6 * MIB) as disk:
        if disk is None:
            test_files_that_may_not_grow(tmp_path)
            return
        with running(server_on(disk, tmp_path)) as server:
            assert start(server, "kept").status == 202
        filler = fill(disk)
        server.log.write_text("")
        with pytest.raises(AssertionError, match="the server ended with 1"):
            server.start()
        assert_one_sentence(server, "disk")
        filler.unlink()
        with running(server):
            assert server.state("kept")["runtimeStatus"] == "PENDING"


def assert_one_sentence(server: Server, *texts: str) -> None:
    """The server has said in a few words why it does not start."""
    log = server.log.read_text()
    assert "error: " in log, log
    assert len(log) < 1_500, log
    for text in (str(server.store), *texts):
        assert text in log, log
    assert_nothing_unforeseen(server)


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6 * MIB) as disk:
        folder = disk or tmp_path / "disk"
        server = server_on(folder, tmp_path)
        with running(server):
            assert start(server, "kept").status == 202
        server.log.write_text("")
        with read_only(folder), pytest.raises(AssertionError, match="the server ended with 1"):
            server.start()
        assert_one_sentence(server, "writ")
        with running(server):
            assert server.state("kept")["runtimeStatus"] == "PENDING"


def test_a_second_server_on_the_same_file(tmp_path: Path) -> None:
    with running(Server.in_folder(tmp_path)) as first, Hands(first, "quiet") as hands:
        hands.open()
        held = hands.half("half")
        second = server_on(tmp_path, tmp_path)
        second.log = tmp_path / "second.log"
        for _ in range(2):
            with pytest.raises(AssertionError, match="the server ended with 4"):
                second.start()
        assert_one_sentence(second, "in use", str(first.pid))
        hands.rest(held)
        assert_healthy(first, "half")
        # It is free as soon as the first is gone, however that goes.
        first.kill()
        with running(second):
            assert_healthy(second, "half")
        first.start()


# ---- damage


def filled(folder: Path) -> Server:
    """A server that has stopped, with a store of some size."""
    server = Server.in_folder(folder)
    with running(server), Hands(server, "wfapp") as hands:
        hands.open()
        for number in range(60):
            hands.start(f"done-{number}", text=json.dumps("x" * 2_000))
            hands.answer(hands.turn(), complete(1, json.dumps("y" * 2_000)))
        hands.close()
        for number in range(60):
            start(server, f"new-{number}", "x" * 2_000)
    server.log.write_text("")
    return server


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return filled(tmp_path_factory.mktemp("undamaged"))


@pytest.fixture
def copied(undamaged: Server, tmp_path: Path) -> Server:
    """A server that has not been started, on a copy of a store of some size."""
    server = Server.in_folder(tmp_path)
    server.store.write_bytes(undamaged.store.read_bytes())
    return server


GARBAGE = Random(1).randbytes(200_000)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _whole: GARBAGE,
        lambda _whole: GARBAGE[:10],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:5_000],
        lambda whole: whole[:100],
        lambda whole: GARBAGE[: len(whole) // 4] + whole[len(whole) // 4 :],
        lambda whole: whole[:100] + GARBAGE[:4_000] + whole[4_100:],
    ],
    ids=[
        "garbage",
        "some-garbage",
        "half",
        "a-page",
        "a-head",
        "a-quarter-garbage",
        "a-page-garbage",
    ],
)
def test_a_file_that_is_damaged_all_over(copied: Server, damage: Callable[[bytes], bytes]) -> None:
    damaged = damage(copied.store.read_bytes())
    copied.store.write_bytes(damaged)
    with pytest.raises(AssertionError, match="the server ended with 1"):
        copied.start()
    assert_one_sentence(copied, "damaged")
    assert copied.store.read_bytes() == damaged, "it is left as it is, for whoever can repair it"


@pytest.mark.parametrize("seed", range(8))
def test_bytes_that_have_changed_somewhere(copied: Server, seed: int) -> None:
    """It says that the file is damaged when it starts, or of what it cannot read; or does well."""
    random = Random(seed)
    content = bytearray(copied.store.read_bytes())
    for _ in range(random.choice((1, 8, 40))):
        at = random.randrange(4_096, len(content))
        length = random.choice((1, 16, 200))
        content[at : at + length] = random.randbytes(length)
    copied.store.write_bytes(content)
    try:
        copied.start()
    except AssertionError:
        assert_one_sentence(copied, "damaged")
        return
    try:
        assert_readable_or_damaged(copied)
        start(copied, "another")
        assert copied.request("GET", "/v1.0/healthz").status == 204
    finally:
        copied.close()


def assert_readable_or_damaged(server: Server) -> None:
    url = f"http://{HOST}:{server.http_port}/v1.0/workflows"
    with httpx.Client(trust_env=False, timeout=30) as client:
        for number in range(60):
            for path in (f"done-{number}", f"new-{number}", f"done-{number}/history"):
                answer = client.get(f"{url}/dapr/{path}")
                assert answer.status_code in {200, 404} or "damaged" in answer.text, answer.text
        answer = client.get(f"{url}?pageSize=1000")
        assert answer.status_code == 200 or "damaged" in answer.text, answer.text


# ---- files that go


@pytest.mark.parametrize("suffixes", [[""], ["-wal"], ["", "-wal", "-shm"]], ids=str)
def test_a_file_that_is_deleted_under_the_server(tmp_path: Path, suffixes: list[str]) -> None:
    """What it cannot keep it does not acknowledge; when the file is back, all goes on."""
    with running(Server.in_folder(tmp_path)) as server, Hands(server, "quiet") as hands:
        hands.open()
        held = hands.half("half")
        assert start(server, "before").status == 202
        away = tmp_path / "away"
        away.mkdir()
        files = [Path(f"{server.store}{suffix}") for suffix in suffixes]
        for file in files:
            file.rename(away / file.name)
        answer = start(server, "lost")
        assert answer.status == 500, "it was acknowledged, and is in no file"
        assert str(server.store) in answer.json()["message"]
        assert server.request("GET", "/v1.0/healthz").status == 204
        for file in files:
            (away / file.name).replace(file)
        assert start(server, "after").status == 202
        hands.rest(held)
        assert_healthy(server, "half")
        server.kill()
        server.start()
        assert_healthy(server, "half")
        assert server.state("before")["runtimeStatus"] == "PENDING"
        assert server.state("after")["runtimeStatus"] == "PENDING"
        assert server.request("GET", "/v1.0/workflows/dapr/lost").status == 404
