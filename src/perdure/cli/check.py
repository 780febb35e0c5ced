"""`perdure check`: which workflows that are running new code would break, before it is deployed.

What replays histories is loaded only here, so that other programs start without it.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from perdure.base.errors import CallerFault
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import note, show, show_json
from perdure.cli.printable import printable
from perdure.cli.workflow.options import AsJson, connected

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure check --app shop.app:app --store perdure.db
  perdure check --app shop.app:app --server https://perdure.internal
  perdure check histories/ --app shop.app:app --json

The workflows of the module are led through what has happened to each instance, as a new process would do with them. Nothing is run and nothing is changed. The exit code is 1 if an instance would break; with --strict also if it would go on in another way than it has.
"""  # noqa: E501 - a paragraph of help is one line

_STYLES: Final = {"breaks": "bold red", "differs": "yellow", "continues": "green"}
_FATE_WIDTH: Final = 9
# After so long people should hear why nothing happens.
_IMPORT_S: Final = 5.0
_STILL_IMPORTING: Final = (
    "{} is still being imported. If it starts its worker and waits, that never comes to an end:\n"
    'what starts something belongs below `if __name__ == "__main__":`.'
)


Histories = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="HISTORIES",
        help="Files of histories, or folders of them: what `perdure export` writes, or "
        "`perdure workflow history ID --json` prints.",
        show_default=False,
    ),
]
App = Annotated[
    str,
    typer.Option(
        metavar="MODULE:NAME",
        help="What the workflows are registered with.",
        show_default=False,
    ),
]


def check(  # noqa: PLR0913 - each option is a parameter
    histories: Histories = None,
    *,
    app: App,
    store: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Check what is unfinished there; it is only read."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Check what is unfinished at this server."),
    ] = None,
    app_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Check only what workers of this app run, where several share a store.",
        ),
    ] = None,
    dapr: Annotated[
        bool,
        typer.Option(
            "--dapr",
            help="The application imports Dapr's SDK; have perdure.workflow stand in for it.",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail, too, if one would go on in another way.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which running workflows the code of an application would break."""
    from perdure.testing import checking

    registry = _registry(app, dapr=dapr)
    read = _read(histories or [], store, server)
    # Where nobody tells whose it is, it is checked.
    found = (each for each in read if app_id is None or each.app_id in {app_id, ""})
    try:
        findings = [finding.as_data() for finding in checking.check(found, registry)]
    except CallerFault as fault:
        raise Trouble(f"{fault}.", advice="", code=ExitCode.USAGE) from fault
    counts = Counter(str(finding["fate"]) for finding in findings)
    if as_json:
        show_json({"checked": len(findings), **_figures(counts), "instances": findings})
    else:
        _show(findings, counts)
    if counts["breaks"] or (strict and counts["differs"]):
        raise typer.Exit(ExitCode.FAILED)


def _registry(app: str, *, dapr: bool) -> Any:
    from perdure.testing.applications import registry_of
    from perdure.testing.standing_in import stand_in_for_dapr

    if dapr:
        stand_in_for_dapr()
    module = app.partition(":")[0]
    hint = threading.Timer(_IMPORT_S, note, [_STILL_IMPORTING.format(module)])
    hint.daemon = True
    hint.start()
    try:
        return registry_of(app)
    finally:
        hint.cancel()


def _read(paths: list[Path], store: str | None, server: str | None) -> Iterator[Any]:
    if sum((bool(paths), store is not None, server is not None)) != 1:
        raise Trouble(
            "It has to be said, once, where the histories are.",
            advice="Name files or folders of them, or --store FILE, or --server URL.",
            code=ExitCode.USAGE,
        )
    if store is not None and "://" in store:
        raise Trouble(
            f"{store} is no file.",
            advice="Have --server ask the server that runs on it.",
            code=ExitCode.USAGE,
        )
    for path in [*paths, *([Path(store)] if store is not None else [])]:
        if not path.exists():
            raise Trouble(f"There is no {path}.", advice="", code=ExitCode.NOT_FOUND)
    if store is not None:
        return _of_store(Path(store))
    return _of_files(paths) if server is None else _of_server(server)


def _of_files(paths: list[Path]) -> Iterator[Any]:
    from perdure.testing.histories import read_histories

    return read_histories(paths)


def _of_store(store: Path) -> Iterator[Any]:
    from perdure.app.histories import unfinished
    from perdure.testing.histories import history_of

    return (history_of(whole, str(store)) for whole in unfinished(str(store)))


def _of_server(server: str) -> Iterator[Any]:
    from perdure.testing.histories import committed

    with connected(server, None) as calls:
        for instance in calls.unfinished():
            events = calls.committed(instance)
            read = committed(instance.instance_id, instance.name, events, server)
            yield replace(read, app_id=str(instance.raw.get("appID") or ""))


def _figures(counts: Counter[str]) -> dict[str, int]:
    return {fate: counts[fate] for fate in ("continues", "differs", "breaks")}


def _show(findings: Iterable[dict[str, Any]], counts: Counter[str]) -> None:
    total = counts.total()
    if not total:
        note("There is nothing to check: no history was found.")
        return
    for finding in findings:
        fate = str(finding["fate"])
        if fate != "continues":
            who = printable(f"{finding['workflowName']} {finding['instanceID']}")
            show(Text.assemble((f"{fate:{_FATE_WIDTH}}", _STYLES[fate]), who))
            show(f"{'':{_FATE_WIDTH}}{finding['reason']}")
            if "file" in finding:
                show(f"{'':{_FATE_WIDTH}}{_relative(str(finding['file']))}:{finding['line']}")
    parts = [f"{counts['continues']} of {total} would go on as before"]
    parts += [f"{counts['differs']} in another way"] if counts["differs"] else []
    parts += [f"{counts['breaks']} would break"] if counts["breaks"] else []
    show(", ".join(parts))


def _relative(file: str) -> str:
    here = f"{Path.cwd()}{os.sep}"
    return file.removeprefix(here)


def add_to(app: typer.Typer) -> None:
    """Make `check` known to the program."""
    app.command("check", epilog=_EXAMPLES, rich_help_panel="Workflows")(check)
