"""`perdure trigger dead-letters`, `edit`, `replay` and `discard`: what could not be used."""

from typing import Annotated

import typer
from rich.table import Table

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import console, note, show, show_json, warn
from perdure.cli.payloads import read_payload
from perdure.cli.printable import on_one_line, printable
from perdure.cli.trigger import options
from perdure.cli.trigger.calls import connected
from perdure.cli.workflow.options import AsJson, Payload, PayloadFile, Raw, Server
from perdure.cli.workflow.records import JsonObject

EXAMPLES = """\b
[bold]Examples[/bold]
  perdure trigger dead-letters new-orders
  perdure trigger dead-letters new-orders ID        the message itself
"""
EDIT_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure trigger edit new-orders ID --input-file mended.json
"""
REPLAY_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure trigger replay new-orders ID
  perdure trigger replay new-orders --all
"""


def dead_letters(
    name: options.Name,
    key: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Show this one.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")] = 50,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages that a trigger could not use, oldest first, or one of them."""
    with connected(server) as calls:
        calls.trigger(name)
        if key is not None:
            _show_letter(calls.dead_letter(name, key), as_json=as_json)
            return
        found = list(calls.dead_letters(name, limit))
    if as_json:
        show_json({"deadLetters": found})
        return
    if not found:
        note(f"{name} has no dead letters.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("ID", "SINCE", "REASON"):
        table.add_column(column, no_wrap=column != "REASON", overflow="fold")
    for each in found:
        reason = on_one_line(str(each["reason"]))
        table.add_row(printable(str(each["id"])), str(each["deadLetteredAt"]), reason)
    console().print(table)


def edit(  # noqa: PLR0913 - each option is a parameter
    *,
    name: options.Name,
    key: options.Key,
    payload: Payload = None,
    payload_file: PayloadFile = None,
    raw: Raw = False,
    content_type: Annotated[
        str | None,
        typer.Option("--content-type", metavar="TYPE", help="What it is, if that has changed."),
    ] = None,
    server: Server = None,
) -> None:
    """Put another payload in the place of a dead letter's."""
    content = read_payload(payload, payload_file, flag="--input", raw=raw)
    if content is None:
        raise Trouble(
            "There is nothing to put there.",
            advice="Give the new payload with --input or --input-file.",
            code=ExitCode.USAGE,
        )
    with connected(server) as calls:
        calls.edit(name, key, content, content_type)
    show(f"{key} is changed. `perdure trigger replay {name} {key}` tries it again.")


def replay(
    name: options.Name,
    keys: options.Keys = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter there is.")] = False,
    server: Server = None,
) -> None:
    """Try dead letters again, now. One that works is gone; one that does not stays."""
    with connected(server) as calls:
        calls.trigger(name)
        chosen = _chosen(keys, everything, [str(each["id"]) for each in calls.dead_letters(name)])
        failed = 0
        for key in chosen:
            done, words = calls.replay(name, key)
            failed += not done
            if done:
                show(f"{key}: {words}")
            else:
                warn(f"{key}: {words}")
    if failed:
        raise Trouble(
            f"{failed} of {len(chosen)} could not be used still.",
            advice=f"`perdure trigger edit {name} ID` changes a message.",
        )


def discard(
    name: options.Name,
    keys: options.Keys = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter there is.")] = False,
    server: Server = None,
) -> None:
    """Delete dead letters."""
    with connected(server) as calls:
        calls.trigger(name)
        chosen = _chosen(keys, everything, [str(each["id"]) for each in calls.dead_letters(name)])
        for key in chosen:
            calls.discard(name, key)
            show(f"{key} is deleted.")


def _chosen(keys: list[str] | None, everything: bool, there_are: list[str]) -> list[str]:
    if everything == bool(keys):
        raise Trouble(
            "It is not said which dead letters are meant.",
            advice="Give their ids, or --all, and not both.",
            code=ExitCode.USAGE,
        )
    return there_are if everything else list(dict.fromkeys(keys or ()))


def _show_letter(letter: JsonObject, *, as_json: bool) -> None:
    if as_json:
        show_json(letter)
        return
    message = letter["message"]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("id", printable(str(letter["id"])))
    table.add_row("reason", on_one_line(str(letter["reason"])))
    table.add_row("attempts", str(letter["attempts"]))
    table.add_row("since", str(letter["deadLetteredAt"]))
    table.add_row("source", printable(str(letter["source"])))
    for name in ("id", "topic", "contentType"):
        if name in message:
            table.add_row(f"message {name}", printable(str(message[name])))
    for name, value in message["attributes"]:
        table.add_row(printable(name), on_one_line(value))
    console().print(table)
    show("")
    show(str(message.get("data", message.get("dataBase64", ""))))
