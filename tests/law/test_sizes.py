"""Files and functions stay small; what is too large already may only shrink.

A record below is the size a file or function has today. Growing past it fails, and so does falling
below it without lowering the record: that is the ratchet. A new record wants a reason beside it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.law import tree

SOURCE_LINES_MAX = 300
OTHER_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
# `Any` switches the type checker off, so each file has few of them.
ANY_PER_FILE_MAX = 6

# Keys are files from the root, and for functions `file::Class.function`.
LARGE_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
LOOSE_FILES: dict[str, int] = {}


def test_files_stay_small() -> None:
    found = _above(SOURCE_LINES_MAX, {tree.name_of(p): _lines(p) for p in tree.source_files()})
    others = (*tree.test_files(), *tree.program_files())
    found |= _above(OTHER_LINES_MAX, {tree.name_of(path): _lines(path) for path in others})
    _check_ratchet(found, LARGE_FILES, "lines; the file is two rooms")


def test_functions_stay_small() -> None:
    files = (*tree.source_files(), *tree.test_files(), *tree.program_files())
    sizes = {name: lines for path in files for name, lines in _functions(path)}
    _check_ratchet(_above(FUNCTION_LINES_MAX, sizes), LONG_FUNCTIONS, "lines in one function")


def test_any_stays_rare() -> None:
    counts = {tree.name_of(path): _any_count(path) for path in tree.source_files()}
    _check_ratchet(_above(ANY_PER_FILE_MAX, counts), LOOSE_FILES, "uses of Any")


def _check_ratchet(found: dict[str, int], recorded: dict[str, int], what: str) -> None:
    findings = []
    for name in sorted(found.keys() | recorded.keys()):
        now, then = found.get(name), recorded.get(name)
        if now is None:
            findings.append(f"{name}: within the limit now, remove its record")
        elif then is None or now > then:
            findings.append(f"{name}: {now} {what}")
        elif now < then:
            findings.append(f"{name}: lower its record from {then} to {now}")
    assert not findings, "\n".join(["", *findings])


def _above(limit: int, sizes: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > limit}


def _lines(path: Path) -> int:
    return len(tree.text_of(path).splitlines())


def _any_count(path: Path) -> int:
    return sum(
        isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree.parsed(path))
    )


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    yield from _functions_in(tree.parsed(path), f"{tree.name_of(path)}::")


def _functions_in(parent: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield prefix + node.name, node.end_lineno - node.lineno + 1
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _functions_in(node, f"{prefix}{node.name}.")
        else:
            yield from _functions_in(node, prefix)
