"""`perdure workflow list`, and what is told of names and ids that are not there."""

from uuid import uuid4

import pytest

from tests.conformance.cli.calling import Caller


@pytest.fixture
def prefix(shop: Caller) -> str:
    """Three parcels of one id prefix, all shipped."""
    prefix = uuid4().hex[:10]
    for n in range(3):
        shop.workflow(
            *("start", "ship", "--id", f"{prefix}-{n}", "-i", '{"items": 1}', "--wait"),
            *("--tag", f"{prefix}=x", "--tag", f"n={n}"),
        )
    return prefix


def ids(shop: Caller, *arguments: str) -> list[str]:
    return [each["instanceID"] for each in shop.read("list", *arguments)["instances"]]


def test_the_newest_come_first(shop: Caller, prefix: str) -> None:
    assert ids(shop, "--id-prefix", prefix) == [f"{prefix}-{n}" for n in (2, 1, 0)]
    sorted_ids = ids(shop, "--id-prefix", prefix, "--sort", "instanceID")
    assert sorted_ids == [f"{prefix}-{n}" for n in range(3)]


def test_filters_are_all_of_them(shop: Caller, prefix: str) -> None:
    mine = ("--tag", f"{prefix}=x")
    assert len(ids(shop, *mine)) == 3
    assert ids(shop, *mine, "--tag", "n=1") == [f"{prefix}-1"]
    assert ids(shop, *mine, "--type", "order") == []
    assert ids(shop, *mine, "--status", "running,suspended") == []
    assert len(ids(shop, *mine, "--status", "completed", "--type", "ship", "--since", "1h")) == 3
    assert ids(shop, *mine, "--until", "1h") == []


def test_a_list_goes_on_where_it_stopped(shop: Caller, prefix: str) -> None:
    first = shop.read("list", "--id-prefix", prefix, "--limit", "2")
    assert len(first["instances"]) == 2
    told = shop.ask("list", "--id-prefix", prefix, "--limit", "2").stderr
    assert first["token"] in told
    rest = shop.read("list", "--id-prefix", prefix, "--token", first["token"])
    assert [each["instanceID"] for each in rest["instances"]] == [f"{prefix}-0"]
    assert rest["token"] is None


@pytest.mark.parametrize("columns", [80, 120])
def test_a_list_fits_the_screen(shop: Caller, prefix: str, columns: int) -> None:
    there = Caller(shop.folder, {**shop.environ, "COLUMNS": str(columns)})
    lines = there.workflow("list", "--id-prefix", prefix).splitlines()
    assert len(lines) == 4
    assert all(len(line) <= columns for line in lines)
    assert f"{prefix}-0" in lines[-1]
    assert "COMPLETED" in lines[-1]


def test_an_empty_list_says_so(shop: Caller) -> None:
    finished = shop.ask("list", "--id-prefix", uuid4().hex)
    assert finished.stdout == ""
    assert "There is none." in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["get"],
        ["history"],
        ["watch"],
        ["suspend"],
        ["resume"],
        ["terminate"],
        ["purge"],
        ["rerun", "--from", "1"],
    ],
)
def test_an_unknown_id_is_told_with_the_nearest(
    shop: Caller, prefix: str, arguments: list[str]
) -> None:
    told = shop.trouble(*arguments, f"{prefix}-1x", code=3)
    assert f"{prefix}-1x" in told
    assert f"Did you mean {prefix}-1" in told


def test_an_unknown_type_is_started_with_a_warning(shop: Caller, prefix: str) -> None:
    assert prefix
    finished = shop.ask("start", "shipp", "-i", "1")
    assert "Did you mean ship?" in finished.stderr
    assert shop.read("get", finished.stdout.strip())["workflowName"] == "shipp"
    assert "warning" not in shop.ask("start", "shipp", "-i", "1").stderr


def test_an_id_in_use_is_told(shop: Caller, prefix: str) -> None:
    told = shop.trouble("start", "ship", "--id", f"{prefix}-0", code=4)
    assert f"perdure workflow purge {prefix}-0" in told


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["start", "ship", "--id", "a/b"], 2, "ERR_INSTANCE_ID_INVALID"),
        (["start", "ship", "--id", "x" * 65], 2, "ERR_INSTANCE_ID_TOO_LONG"),
        (["start", "dapr"], 2, "name of a component"),
        (["start", "ship", "--tag", "k" * 129 + "=v"], 2, "128"),
        (["list", "--sort", "size"], 2, "unknown field 'size'; the fields are"),
        (["list", "--token", "nonsense"], 2, "token"),
    ],
)
def test_what_the_server_refuses_is_told_in_its_words(
    shop: Caller, arguments: list[str], code: int, said: str
) -> None:
    assert said in shop.trouble(*arguments, code=code)
