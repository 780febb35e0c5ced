"""The program as its tests call it: in this process, with a screen of a given width."""

from collections.abc import Mapping, Sequence

import typer
from typer.testing import CliRunner, Result


def invoke(
    app: typer.Typer,
    arguments: Sequence[str],
    *,
    columns: int = 80,
    environ: Mapping[str, str | None] | None = None,
) -> Result:
    """Run `app` and return what it wrote and how it ended; a fault is raised as it is."""
    surroundings = {"COLUMNS": str(columns), "TERM": "dumb", "NO_COLOR": "1", **(environ or {})}
    return CliRunner().invoke(app, list(arguments), env=surroundings, catch_exceptions=False)
