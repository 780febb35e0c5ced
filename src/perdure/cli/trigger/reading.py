"""`perdure trigger list` and `show`: which triggers there are, and how they are doing."""

from typing import Final

import yaml
from rich.table import Table
from rich.text import Text

from perdure.cli.output import console, note, show, show_json
from perdure.cli.printable import on_one_line, printable
from perdure.cli.trigger import options
from perdure.cli.trigger.calls import connected
from perdure.cli.workflow.options import AsJson, Server
from perdure.cli.workflow.records import JsonObject

# What happens to a message before it is dealt with, perhaps several times.
_NOT_SETTLED: Final = frozenset({"retried", "later"})


def list_triggers(server: Server = None, as_json: AsJson = False) -> None:
    """List the triggers of the server."""
    with connected(server) as calls:
        found = calls.triggers()
    if as_json:
        show_json({"triggers": found})
        return
    if not found:
        note("There are no triggers. They are files of kind WorkflowTrigger in --resources-path.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("TRIGGER", "DOES", "SOURCE", "STATE"):
        table.add_column(column)
    for column in ("MESSAGES", "DEAD LETTERS"):
        table.add_column(column, justify="right")
    for each in found:
        state, style = _state(each)
        letters = int(each["deadLetters"])
        table.add_row(
            printable(str(each["name"])),
            printable(_does(each)),
            printable(str(each["source"]["name"])),
            Text(state, style=style),
            str(_messages(each)),
            Text(str(letters), style="red" if letters else ""),
        )
    console().print(table)


def show_trigger(name: options.Name, server: Server = None, as_json: AsJson = False) -> None:
    """Show one trigger: what was written, how its source is doing, what became of messages."""
    with connected(server) as calls:
        found = calls.trigger(name)
    if as_json:
        show_json(found)
        return
    state, style = _state(found)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    table.add_row("trigger", printable(str(found["name"])))
    table.add_row("does", printable(_does(found)))
    table.add_row("defined at", printable(str(found["definedAt"])))
    source = found["source"]
    table.add_row("source", printable(f"{source['name']} ({source['type']})"))
    table.add_row("state", Text(state, style=style))
    if source.get("trouble"):
        table.add_row("trouble", on_one_line(str(source["trouble"])))
    for key, value in sorted(source.get("notes", {}).items()):
        table.add_row(printable(key), printable(value))
    for outcome, count in found["messages"].items():
        table.add_row(printable(outcome), str(count))
    table.add_row("dead letters", str(found["deadLetters"]))
    console().print(table)
    written = yaml.safe_dump({"spec": found["spec"]}, sort_keys=False, allow_unicode=True)
    show(f"\n{written.rstrip()}")


def _messages(trigger: JsonObject) -> int:
    return sum(
        count for outcome, count in trigger["messages"].items() if outcome not in _NOT_SETTLED
    )


def _state(trigger: JsonObject) -> tuple[str, str]:
    if trigger["paused"]:
        return "paused", "yellow"
    return ("receiving", "green") if trigger["source"]["connected"] else ("away", "bold red")


def _does(trigger: JsonObject) -> str:
    workflow = trigger.get("workflowName")
    return f"{trigger['action']} {workflow}" if workflow else str(trigger["action"])
