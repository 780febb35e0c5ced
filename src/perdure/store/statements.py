"""SQL as it lies in the files of a store: migrations by number, statements by name."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_NAME: Final = re.compile(r"^-- name: (.+)$", re.MULTILINE)


def statements_of(package: str, file: str) -> dict[str, str]:
    """Return what a package's `sql/<file>.sql` holds by name, without closing semicolons."""
    text = _read(files(package) / "sql" / f"{file}.sql")
    _, *parts = _NAME.split(text)
    named = {
        name: _without_comments(body).strip().removesuffix(";")
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
    assert len(named) * 2 == len(parts), f"{file}.sql names a statement twice"
    return named


def migrations_of(package: str) -> dict[int, str]:
    """Return the scripts of all migrations of a package by their number, which counts from 1."""
    found = {
        int(path.name.split("_")[0]): _read(path)
        for path in (files(package) / "migrations").iterdir()
        if path.name.endswith(".sql")
    }
    assert sorted(found) == list(range(1, len(found) + 1)), sorted(found)
    return dict(sorted(found.items()))


def _read(path: Traversable) -> str:
    return path.read_text("utf-8")


def _without_comments(body: str) -> str:
    return "\n".join(line for line in body.splitlines() if not line.startswith("--"))
