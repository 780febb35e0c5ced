"""What must not be written, with the reason in each test's name or docstring."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.law import tree

# Paths of one machine, and hosts of package registries: neither means anything to another reader.
_LOCAL = re.compile(
    r"(?<![\w.\-])/(?:work|farm|root|home/\w+|tmp/\w+)/"
    r"|pypi\.org/simple|registry\.npmjs|proxy\.golang|deb\.debian|repo1?\.maven",
)
_BINARY = {".db", ".gz", ".ico", ".jpg", ".png", ".zip"}


def test_tests_do_not_sleep() -> None:
    """A sleep is too short on a slow machine and too long on a fast one: wait for a signal.

    A process gives no signal to another, so there a test may look again until a deadline.
    """
    found = [
        tree.place(path, node)
        for path in tree.test_files()
        for node in _sleeping(tree.parsed(path), may_poll=tree.TESTS / "e2e" in path.parents)
    ]
    assert not found


def test_tests_do_not_skip() -> None:
    """A skipped test is a promise that nobody checks."""
    assert not _findings(tree.test_files(), _skips)


def test_tests_do_not_mock() -> None:
    """The memory store and the virtual clock are real; a mock proves only itself."""
    assert not _findings(tree.test_files(), _mocks)


def test_only_the_command_line_prints() -> None:
    files = [path for path in tree.source_files() if tree.SOURCE / "cli" not in path.parents]
    assert not _findings(files, _prints)


def test_nothing_is_swallowed() -> None:
    """Whoever catches everything must do something about it."""
    files = (*tree.source_files(), *tree.test_files(), *tree.program_files())
    assert not _findings(files, _swallows)


def test_a_wait_that_is_cancelled_ends() -> None:
    """`asyncio.wait_for` of Python 3.11 forgets that it was cancelled if what it waits for comes.

    A loop that sleeps by it goes on after its end, at worst. `asyncio.timeout` does not forget.
    """
    assert not _findings(tree.source_files(), _waits_forgetfully)


def test_nothing_is_left_unwritten() -> None:
    assert not _findings(tree.source_files(), _unwritten)


def test_no_place_of_one_machine_is_named() -> None:
    found = [
        f"{tree.name_of(path)}:{number}: {match.group()}"
        for path in tree.all_files()
        if path.suffix not in _BINARY
        for number, line in enumerate(tree.text_of(path).splitlines(), start=1)
        if (match := _LOCAL.search(line))
    ]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    ("is_banned", "text"),
    [
        ("_sleeps", "time.sleep(1)"),
        ("_sleeps", "from time import sleep"),
        ("_sleeps", "await asyncio.sleep(0.1)"),
        ("_sleeps", "await asyncio.sleep(POLL_S)"),
        ("_skips", "pytest.skip('later')"),
        ("_skips", "pytest.mark.xfail(strict=True)"),
        ("_mocks", "from unittest.mock import Mock"),
        ("_prints", "print('here')"),
        ("_swallows", "try:\n    f()\nexcept Exception:\n    pass"),
        ("_swallows", "try:\n    f()\nexcept:\n    ..."),
        (
            "_swallows",
            "for x in y:\n    try:\n        f()\n    except BaseException:\n        continue",
        ),
        ("_swallows", "contextlib.suppress(Exception)"),
        ("_waits_forgetfully", "await asyncio.wait_for(event.wait(), 1)"),
        ("_waits_forgetfully", "from asyncio import wait_for"),
        ("_unwritten", "raise NotImplementedError"),
        ("_unwritten", "raise NotImplementedError('later')"),
    ],
)
def test_what_is_banned_is_seen(is_banned: str, text: str) -> None:
    """The laws themselves: each must be able to find what it is there to find."""
    law: Callable[[ast.AST], bool] = globals()[is_banned]
    assert any(law(node) for node in ast.walk(ast.parse(text)))


def _findings(files: Iterable[Path], is_banned: Callable[[ast.AST], bool]) -> list[str]:
    return [
        tree.place(path, node)
        for path in files
        for node in ast.walk(tree.parsed(path))
        if is_banned(node)
    ]


def _sleeping(parent: ast.AST, *, may_poll: bool) -> Iterator[ast.AST]:
    """Every sleep below `parent`; where one may poll, without those of a loop with a deadline."""
    for node in ast.iter_child_nodes(parent):
        if _sleeps(node):
            yield node
        elif not (may_poll and isinstance(node, ast.While) and _has_deadline(node)):
            yield from _sleeping(node, may_poll=may_poll)


def _has_deadline(loop: ast.While) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"monotonic", "time"}
        for node in ast.walk(loop)
    )


def _sleeps(node: ast.AST) -> bool:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="time" | "asyncio" | "anyio"), attr="sleep"),
            args=[seconds],
        ):
            # Sleeping for nothing only lets others run.
            return not (isinstance(seconds, ast.Constant) and seconds.value == 0)
        case ast.ImportFrom(module="time" | "asyncio" | "anyio", names=names):
            return any(alias.name == "sleep" for alias in names)
        case _:
            return False


def _skips(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="pytest"), attr="skip" | "xfail" | "importorskip"):
            return True
        case ast.Attribute(value=ast.Attribute(attr="mark"), attr="skip" | "skipif" | "xfail"):
            return True
        case _:
            return False


def _mocks(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module="unittest.mock" | "mock" | "pytest_mock"):
            return True
        case ast.ImportFrom(module="unittest", names=names) | ast.Import(names=names):
            return any(alias.name in {"mock", "unittest.mock", "pytest_mock"} for alias in names)
        case _:
            return False


def _prints(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _is_named(node.func, {"print"})


def _swallows(node: ast.AST) -> bool:
    match node:
        case ast.ExceptHandler(type=caught, body=body):
            everything = caught is None or _is_named(caught, {"Exception", "BaseException"})
            return everything and all(_does_nothing(statement) for statement in body)
        case ast.Call(func=ast.Attribute(attr="suppress") | ast.Name(id="suppress"), args=args):
            return any(_is_named(arg, {"Exception", "BaseException"}) for arg in args)
        case _:
            return False


def _waits_forgetfully(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="asyncio"), attr="wait_for"):
            return True
        case ast.ImportFrom(module="asyncio", names=names):
            return any(alias.name == "wait_for" for alias in names)
        case _:
            return False


def _unwritten(node: ast.AST) -> bool:
    match node:
        case ast.Raise(exc=ast.Call(func=raised)) | ast.Raise(exc=raised):
            return raised is not None and _is_named(raised, {"NotImplementedError"})
        case _:
            return False


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Continue() | ast.Expr(value=ast.Constant()):
            return True
        case _:
            return False


def _is_named(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names
