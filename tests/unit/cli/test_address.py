"""Where a server is looked for: the flag, then the environment, then the usual port."""

from collections.abc import Mapping

import pytest

from perdure.cli.address import Address, find_address
from perdure.cli.exits import ExitCode, Trouble


@pytest.mark.parametrize(
    ("flag", "environ", "expected"),
    [
        (None, {}, Address("http://127.0.0.1:3500", "the default")),
        (None, {"DAPR_HTTP_PORT": ""}, Address("http://127.0.0.1:3500", "the default")),
        (None, {"DAPR_HTTP_PORT": "41"}, Address("http://127.0.0.1:41", "DAPR_HTTP_PORT")),
        (
            None,
            {"DAPR_HTTP_PORT": "41", "DAPR_HTTP_ENDPOINT": "https://wf.example/"},
            Address("https://wf.example", "DAPR_HTTP_ENDPOINT"),
        ),
        ("box:9", {"DAPR_HTTP_PORT": "41"}, Address("http://box:9", "--server")),
        ("3501", {}, Address("http://127.0.0.1:3501", "--server")),
        (":3501", {}, Address("http://127.0.0.1:3501", "--server")),
        ("[::1]:3501", {}, Address("http://[::1]:3501", "--server")),
    ],
)
def test_the_nearest_wish_wins(
    flag: str | None, environ: Mapping[str, str], expected: Address
) -> None:
    assert find_address(flag, environ) == expected


@pytest.mark.parametrize("text", ["ftp://box", "http://", "box:99999", "box:x", "http://box:0"])
def test_what_is_no_address_is_told_with_an_example(text: str) -> None:
    with pytest.raises(Trouble, match="--server") as caught:
        find_address(text, {})
    assert caught.value.code is ExitCode.USAGE
    assert "localhost:3500" in caught.value.advice


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://box:1", False),
        ("http://10.0.0.1:1", False),
    ],
)
def test_only_this_machine_is_local(url: str, local: bool) -> None:
    assert Address(url, "").is_local is local
