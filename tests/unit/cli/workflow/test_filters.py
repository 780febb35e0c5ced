"""What a person asks the list for, as the server's query."""

import pytest

from perdure.api.http.listing import PARAMETERS
from perdure.base import rfc3339
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.times import now_us
from perdure.cli.workflow.filters import read_filters


def test_nothing_asked_is_no_query() -> None:
    assert read_filters() == {}


def test_every_filter_is_one_of_the_server() -> None:
    query = read_filters(
        status="running, suspended",
        workflow_type="order",
        tags=["shop=berlin"],
        prefix="o",
        parent="p",
        since="2026-01-31T00:00:00Z",
        until="2026-02-01T00:00:00Z",
    )
    assert query == {
        "status": "RUNNING,SUSPENDED",
        "type": "order",
        "idPrefix": "o",
        "parent": "p",
        "createdAfter": "2026-01-31T00:00:00Z",
        "createdBefore": "2026-02-01T00:00:00Z",
        "tag.shop": "berlin",
    }
    assert query.keys() - {"tag.shop"} <= PARAMETERS


def test_unfinished_is_all_that_can_go_on() -> None:
    assert read_filters(status="unfinished")["status"] == "PENDING,RUNNING,SUSPENDED,STALLED"


def test_a_length_of_time_is_before_now() -> None:
    since = rfc3339.parse(str(read_filters(since="1h")["createdAfter"]))
    assert since is not None
    assert 0 <= now_us() - since - 3_600_000_000 < 60_000_000


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ({"status": "done"}, "COMPLETED"),
        ({"status": "complete"}, "Did you mean COMPLETED?"),
        ({"since": "soon"}, "24h"),
        ({"until": "soon"}, "24h"),
    ],
)
def test_what_cannot_be_meant_is_told(asked: dict[str, str], advice: str) -> None:
    with pytest.raises(Trouble) as caught:
        read_filters(status=asked.get("status"), since=asked.get("since"), until=asked.get("until"))
    assert caught.value.code is ExitCode.USAGE
    assert advice in caught.value.advice
