"""The Prefer header."""

import pytest

from perdure.api.http.prefer import wait_seconds
from perdure.base.limits import WAIT_SECONDS_MAX


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], None),
        ([""], None),
        (["wait=5"], 5),
        (["WAIT = 5"], 5),
        (['wait="5"'], 5),
        (["wait=0"], 0),
        (["respond-async, wait=10; foo=bar"], 10),
        (["respond-async", "handling=lenient", "wait=7"], 7),
        (["wait=1, wait=2"], 1),
        (["wait=1", "wait=2"], 1),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=soon"], None),
        (["wait"], None),
        (["wait=\u0663"], None),
        (["await=5"], None),
        (["wait=999999999"], WAIT_SECONDS_MAX),
        (["wait=9999999999"], None),
    ],
)
def test_wait(values: list[str], seconds: int | None) -> None:
    assert wait_seconds(values) == seconds
