"""`perdure trigger test` and `backtest`: what a trigger would do, without doing it.

The language of rules is loaded only here, so that other programs start without it.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from perdure.base.limits import INSTANCE_ID_BYTES_MAX
from perdure.cli.exits import Trouble
from perdure.cli.output import console, note, show, show_json, warn
from perdure.cli.payloads import read_pairs, read_payload
from perdure.cli.printable import printable
from perdure.cli.times import moment_given
from perdure.cli.trigger import options
from perdure.cli.trigger.calls import connected
from perdure.cli.workflow.options import AsJson, Server
from perdure.cli.workflow.records import JsonObject

TEST_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure trigger test orders.yaml --event event.json
  perdure trigger test orders.yaml --event - --content-type text/plain < message.txt
"""
BACKTEST_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure trigger backtest changed.yaml --since 24h

It looks at the messages that the server keeps of the triggers of these names (spec.keep).
"""
_PAYLOADS: Final = frozenset({"input", "output"})


def try_message(  # noqa: PLR0913 - each option is a parameter
    *,
    file: options.File,
    event: Annotated[
        Path, typer.Option("--event", metavar="FILE", help="The message; - is standard input.")
    ],
    content_type: Annotated[
        str | None,
        typer.Option("--content-type", metavar="TYPE", help="What the message says that it is."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME=VALUE", help="A header of the message; repeatable."),
    ] = None,
    app_id: options.AppId = "perdure",
    id_bytes_max: options.IdBytes = INSTANCE_ID_BYTES_MAX,
    as_json: AsJson = False,
) -> None:
    """Say what the triggers of a file would do with a message. No server is asked."""
    from perdure.app import trials

    content = read_payload(None, event, flag="--event", raw=True)
    assert content is not None, "the option is required"
    rules = trials.rules_of(app_id=app_id, id_bytes_max=id_bytes_max)
    read = trials.TriggerFile(file, rules)
    attributes = read_pairs(
        header or (), flag="--header", form="NAME=VALUE", example="--header ce-type=order"
    )
    message = trials.message_of(
        content, content_type=content_type, attributes=attributes, message_id="test"
    )
    found = list(read.trials(message))
    for warning in read.warnings:
        warn(warning)
    if as_json:
        show_json({"triggers": [{"trigger": each.trigger, **each.outcome} for each in found]})
    else:
        for each in found:
            _show_outcome(each.trigger, each.words, each.outcome)
    unusable = [each.trigger for each in found if not each.usable]
    if unusable:
        raise Trouble(
            f"{', '.join(unusable)}: the message would become a dead letter.",
            advice="The reason stands above.",
        )


def backtest(
    *,
    file: options.File,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="From then on: 24h (ago), a date, or RFC 3339. All, if not given."
        ),
    ] = None,
    app_id: options.AppId = "perdure",
    id_bytes_max: options.IdBytes = INSTANCE_ID_BYTES_MAX,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed triggers would have done with the messages that the server has kept."""
    from perdure.app import trials

    rules = trials.rules_of(app_id=app_id, id_bytes_max=id_bytes_max)
    read = trials.TriggerFile(file, rules)
    for warning in read.warnings:
        warn(warning)
    reports: list[JsonObject] = []
    with connected(server) as calls:
        for trigger in read.triggers.values():
            spec = calls.trigger(trigger.name)["spec"]
            before = trials.as_it_is(trigger.name, spec, app_id=app_id)
            kept = calls.kept(trigger.name, moment_given("--since", since))
            reports.append(trials.compared(read, before, trigger, kept))
    if as_json:
        show_json({"triggers": reports})
        return
    for report in reports:
        _show_report(report)


def _show_report(report: JsonObject) -> None:
    name, differences = report["trigger"], report["differences"]
    if not report["messages"]:
        note(f"{name}: no messages are kept. spec.keep says for how long they are to be.")
        return
    show(f"{name}: {len(differences)} of {report['messages']} messages would be dealt with anew.")
    steps = Counter(
        f"{each['before']['outcome']} → {each['after']['outcome']}" for each in differences
    )
    for step, count in steps.most_common():
        show(f"  {count}x {step}")
    for each in differences:
        before, after = each["words"]
        show(f"\n{each['receivedAt']}  {each['id']}")
        console().print(Text(f"  - {printable(before)}", style="red"), soft_wrap=True)
        console().print(Text(f"  + {printable(after)}", style="green"), soft_wrap=True)
        for member in sorted(_PAYLOADS | {"tags"}):
            if each["before"].get(member) != each["after"].get(member):
                show(f"    {member}: {each['before'].get(member)} → {each['after'].get(member)}")


def _show_outcome(trigger: str, words: str, outcome: JsonObject) -> None:
    show(f"{trigger}: {words}")
    for member, value in outcome.items():
        if member in _PAYLOADS and value is not None:
            show(f"  {member}: {value}")
        elif member == "tags" and value:
            show("  tags: " + ", ".join(f"{key}={tag}" for key, tag in value.items()))
