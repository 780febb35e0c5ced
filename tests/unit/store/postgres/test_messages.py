"""News fit into a notification, whatever there is to tell; what is left out is told as left out."""

import pytest

from perdure.store.leases import ANYTHING, News, Touched
from perdure.store.partitions import Partition
from perdure.store.postgres.messages import PAYLOAD_BYTES_MAX, read, written

FEW = (Touched(Partition("shop", 1), (1, 2)), Touched(Partition("ü", 63), None))
MANY = tuple(range(10**9, 10**9 + 1_000))
LONG = tuple(f"{n}-\U0001f600" for n in range(1_000))


@pytest.mark.parametrize(
    "news",
    [News(), News(FEW, ("a", "é\x00"), ("b",)), News(leases=True), ANYTHING, News(None, ("a",))],
)
def test_news_are_read_as_they_were_written(news: News) -> None:
    assert read(written(news, "me")) == ("me", news)


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        (News(FEW, LONG, ("b",)), News(FEW, None, None)),
        (
            News((Touched(Partition("shop", 1), MANY),), ("a",)),
            News((Touched(Partition("shop", 1), None),), None, None),
        ),
        (
            News(tuple(Touched(Partition("shop" * 20, n), (n,)) for n in range(200))),
            News(None, None, None),
        ),
    ],
)
def test_what_does_not_fit_is_told_as_left_out(news: News, expected: News) -> None:
    payload = written(news, "me")
    assert len(payload.encode()) <= PAYLOAD_BYTES_MAX
    told = read(payload)[1]
    assert (told.touched, told.ids, told.noted) == (
        expected.touched,
        expected.ids,
        expected.noted,
    )


@pytest.mark.parametrize("payload", ["", "hello", "{}", "[1]", '{"by": 1, "in": [[1]]}'])
def test_what_cannot_be_read_may_mean_anything(payload: str) -> None:
    assert read(payload) == ("", ANYTHING)
