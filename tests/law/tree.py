"""The source tree as the laws see it: our own files, each read and parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/perdure"
GENERATED = SOURCE / "wire/generated"
TESTS = ROOT / "tests"
PROGRAMS = tuple(ROOT / name for name in ("scripts", "examples", "benchmarks"))

# Folders that tools make inside ours: none of it is ours to judge.
_FOREIGN_FOLDERS = {"__pycache__", "node_modules", "target", "build", "dist"}


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in _FOREIGN_FOLDERS and not path.name.startswith("."):
                yield from _walk(path)
        else:
            yield path


def _python_below(*folders: Path) -> list[Path]:
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in _walk(folder)
        if path.suffix == ".py" and GENERATED not in path.parents
    ]


@cache
def source_files() -> tuple[Path, ...]:
    """Every Python file of the package, generated code left out."""
    return tuple(_python_below(SOURCE))


@cache
def test_files() -> tuple[Path, ...]:
    """Every Python file of the tests."""
    return tuple(_python_below(TESTS))


@cache
def program_files() -> tuple[Path, ...]:
    """Every Python file that is neither: scripts, examples and benchmarks."""
    return tuple(_python_below(*PROGRAMS))


@cache
def all_files() -> tuple[Path, ...]:
    """Every file of the repository, of whatever kind, generated code too."""
    top = [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != ".git"]
    folders = [ROOT / "src", TESTS, ROOT / "docs", ROOT / ".ci", *PROGRAMS]
    return (*top, *(path for folder in folders if folder.is_dir() for path in _walk(folder)))


@cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(text_of(path), filename=name_of(path))


def name_of(path: Path) -> str:
    """How a finding names a file: from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def place(path: Path, node: ast.AST) -> str:
    """Where a finding is: file and line."""
    return f"{name_of(path)}:{getattr(node, 'lineno', 1)}"
