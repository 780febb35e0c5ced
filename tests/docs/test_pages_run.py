"""Every program of the documentation is run as it stands there, and prints what the page shows."""

from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.matching import differs
from tests.docs.running import Run

PAGES = pages.ours()
# A page starts several programs; on a busy machine each takes a while.
pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_runs(page: pages.Page, tmp_path: Path) -> None:
    Run(page, tmp_path).all()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_not_run_has_a_reason(page: pages.Page) -> None:
    for block in page.blocks:
        where = f"{page.name}:{block.line}"
        if block.word == "not-run":
            assert block.value, f"{where}: say why it is not run"
        if block.language in {"sh", "shell", "console"}:
            raise AssertionError(f"{where}: programs stand in `bash` blocks")
        if block.language == "python":
            assert block.word == "file", f"{where}: a program in Python is a file"


@pytest.mark.parametrize(
    ("language", "expected", "actual"),
    [
        ("text", "a … c", "a b c"),
        ("text", "a\n…\nd", "a\nb\nc\nd\n"),
        ("json", '{"a": "…", "b": [1, "…"]}', '{"b":[1,2,3],"a":{"x":1}}'),
        ("json", '{"a": 1, "…": "…"}', '{"a":1,"b":2}'),
        ("http", "HTTP/1.1 200 OK\nA: …", "HTTP/1.1 200 OK\r\nb: 1\r\na: 2\r\n\r\n"),
        (
            "http",
            'HTTP/1.1 200 OK\n\n{"a": 1}',
            'HTTP/1.1 200 OK\r\na: 2\r\n\r\n{"a":1}',
        ),
    ],
)
def test_what_fits_is_taken(language: str, expected: str, actual: str) -> None:
    assert differs(language, expected, actual) is None


@pytest.mark.parametrize(
    ("language", "expected", "actual"),
    [
        ("text", "a … c", "a\nb c"),
        ("text", "a", "a\nb"),
        ("json", '{"a": 1}', '{"a":1,"b":2}'),
        ("json", '{"a": 1, "b": 2}', '{"a":1}'),
        ("json", "[1]", "[1,2]"),
        ("http", "HTTP/1.1 200 OK", "HTTP/1.1 202 Accepted\r\n\r\n"),
        ("http", "HTTP/1.1 200 OK\nA: 1", "HTTP/1.1 200 OK\r\nb: 1\r\n\r\n"),
        ("http", "HTTP/1.1 200 OK", 'HTTP/1.1 200 OK\r\n\r\n{"a":1}'),
    ],
)
def test_what_does_not_fit_is_seen(language: str, expected: str, actual: str) -> None:
    assert differs(language, expected, actual) is not None
