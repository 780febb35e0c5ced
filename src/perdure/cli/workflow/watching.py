"""`perdure workflow watch`: follow one workflow, or all that have not ended, until they end.

The server answers a long poll when an instance ends, so an end is seen at once. Steps on the way
are looked for whenever a poll comes back, which is after a second while things happen and less
often while nothing does. Nothing is asked for twice without a wait in between.
"""

from typing import Annotated, Final

import typer
from rich.live import Live
from rich.text import Text

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import console, is_terminal, note, show, show_json_line
from perdure.cli.printable import cut, printable
from perdure.cli.times import clock_time, now_us, parse_us
from perdure.cli.workflow import filters, options
from perdure.cli.workflow.calls import Calls
from perdure.cli.workflow.records import Instance, JsonObject
from perdure.cli.workflow.steps import Story, is_told
from perdure.cli.workflow.tables import (
    failure_tree,
    instances_table,
    pretty,
    status_text,
    waits_text,
)
from perdure.cli.workflow.waiting import exit_code_of

EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow watch order-17
  perdure workflow watch --type order
  perdure workflow watch order-17 --json

Following one workflow ends with exit code 0 if it completed and 1 if it failed or was terminated. Ctrl-C stops the watching, not the workflow.
"""  # noqa: E501 - a paragraph of help is one line

_SHORTEST_POLL_S: Final = 1
_LONGEST_POLL_S: Final = 5
_LIST_POLL_S: Final = 2
_CONTENT_CHARACTERS: Final = 100
_LISTED_MAX: Final = 200


def watch(  # noqa: PLR0913 - each option is a parameter
    instance_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="The workflow's id; without one, all are followed."),
    ] = None,
    *,
    workflow_type: filters.Type = None,
    tag: filters.Tags = None,
    id_prefix: filters.Prefix = None,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
    utc: options.Utc = False,
) -> None:
    """Follow a workflow step by step until it ends, or all that have not ended."""
    query = filters.read_filters(
        status="unfinished", workflow_type=workflow_type, tags=tag, prefix=id_prefix
    )
    with options.connected(server, component) as calls:
        if instance_id is None:
            _List(calls, query, as_json=as_json, utc=utc).follow()
            return
        if len(query) > 1:
            raise Trouble(
                "An id and a filter are both given.",
                advice="Leave the filters out: there is one workflow of an id.",
                code=ExitCode.USAGE,
            )
        ended = _Steps(calls, as_json=as_json, utc=utc).follow(calls.require(instance_id))
    raise typer.Exit(exit_code_of(ended))


class _Steps:
    """The steps of one instance, each told once, through all its generations."""

    def __init__(self, calls: Calls, *, as_json: bool, utc: bool) -> None:
        self._calls = calls
        self._as_json = as_json
        self._utc = utc
        self._story = Story(utc)
        self._generation: object = None
        self._seq = 0
        self._length = -1

    def follow(self, instance: Instance) -> Instance:
        """Tell everything that happens until the instance has ended; return it as it ended."""
        instance = self._calls.get(instance)
        if not self._as_json:
            subject = printable(f"{instance.name} {instance.instance_id} ")
            show(Text.assemble(subject, self._state(instance)))
        self._tell_news(instance)
        poll_s = _SHORTEST_POLL_S
        while not instance.is_finished:
            status = instance.status
            instance = self._calls.get(instance, wait_s=poll_s)
            changed = self._tell_news(instance)
            if instance.status != status and not instance.is_finished and not self._as_json:
                show(Text.assemble(self._time(now_us()), "  ", self._state(instance)))
            poll_s = _SHORTEST_POLL_S if changed else min(poll_s + 1, _LONGEST_POLL_S)
        self._tell_end(instance)
        return instance

    def _state(self, instance: Instance) -> Text:
        waits = waits_text(instance, options.look(utc=self._utc))
        return Text.assemble(status_text(instance.status), f", waits for {waits}" if waits else "")

    def _tell_news(self, instance: Instance) -> bool:
        """Tell the events that were not told yet; return whether there were any."""
        generation = instance.raw.get("executionID")
        if generation != self._generation or instance.history_length < self._length:
            if self._generation is not None and not self._as_json:
                note("It continues as new, or was started again: its history begins anew.")
            self._generation, self._seq, self._length = generation, 0, -1
            self._story = Story(self._utc)
        if instance.history_length == self._length:
            return False
        self._length = instance.history_length
        for event in self._calls.history(instance, self._seq):
            self._seq = max(self._seq, int(event["seq"]))
            self._tell(instance, event)
        return True

    def _tell(self, instance: Instance, event: JsonObject) -> None:
        if self._as_json:
            show_json_line({"instanceID": instance.instance_id, "event": event})
            return
        subject, content = self._story.subject(event), self._story.content(event)
        if not is_told(event):
            return
        label, style = self._story.label(event)
        at_us = parse_us(event.get("timestamp"))
        time = self._time(at_us if at_us is not None else now_us())
        line = Text.assemble(time, "  ", (label, style))
        for part in filter(None, (subject, cut(content, _CONTENT_CHARACTERS))):
            line.append(f"  {part}")
        show(line)

    def _time(self, at_us: int) -> tuple[str, str]:
        return clock_time(at_us, utc=self._utc), "dim"

    def _tell_end(self, instance: Instance) -> None:
        if self._as_json:
            show_json_line({"instanceID": instance.instance_id, "instance": instance.raw})
            return
        show(Text.assemble(status_text(instance.status)))
        if instance.failure:
            show(failure_tree(instance.failure))
        elif "output" in instance.raw:
            show(Text(pretty(instance.raw["output"])))


class _List:
    """All instances that were not finished when they were first seen, until none is left."""

    def __init__(
        self, calls: Calls, query: dict[str, str | int], *, as_json: bool, utc: bool
    ) -> None:
        self._calls = calls
        self._query = query
        self._as_json = as_json
        self._utc = utc
        self._seen: dict[str, Instance] = {}

    def follow(self) -> None:
        """Show the list and its changes until nothing in it is unfinished."""
        open_ones = self._refresh()
        if not open_ones:
            note("There is none that has not ended.")
            return
        if self._as_json or not is_terminal():
            while open_ones:
                self._wait(open_ones)
                open_ones = self._refresh()
            return
        screen = console()
        with Live(console=screen, auto_refresh=False) as live:
            while True:
                table = instances_table(
                    list(self._seen.values()), options.look(utc=self._utc), screen.width
                )
                live.update(table, refresh=True)
                if not open_ones:
                    return
                self._wait(open_ones)
                open_ones = self._refresh()

    def _wait(self, open_ones: list[Instance]) -> None:
        # The oldest is the likeliest to end; it answers early if it does.
        oldest = min(open_ones, key=lambda each: each.created_at_us or 0)
        try:
            self._calls.get(oldest, wait_s=_LIST_POLL_S)
        except Trouble as trouble:
            if trouble.code is not ExitCode.NOT_FOUND:
                raise

    def _refresh(self) -> list[Instance]:
        open_ones, _ = self._calls.listed(self._query, limit=_LISTED_MAX)
        found = {each.instance_id: each for each in reversed(open_ones)}
        for instance_id, seen in self._seen.items():
            if instance_id not in found and not seen.is_finished:
                ended = self._calls.find(instance_id)
                if ended is None:
                    self._tell_gone(instance_id)
                else:
                    found[instance_id] = ended
        gone = self._seen.keys() - found.keys()
        for instance_id, each in found.items():
            self._tell_change(self._seen.get(instance_id), each)
            self._seen[instance_id] = each
        for instance_id in gone:
            if not self._seen[instance_id].is_finished:
                del self._seen[instance_id]
        return [each for each in self._seen.values() if not each.is_finished]

    def _tell_change(self, before: Instance | None, now: Instance) -> None:
        if before is None or before.status != now.status:
            self._tell(now.instance_id, now.raw, f"{now.name}  {now.status}")

    def _tell_gone(self, instance_id: str) -> None:
        self._tell(instance_id, None, "purged")

    def _tell(self, instance_id: str, raw: JsonObject | None, words: str) -> None:
        if self._as_json:
            show_json_line({"instanceID": instance_id, "instance": raw})
        elif not is_terminal():
            show(f"{clock_time(now_us(), utc=self._utc)}  {instance_id}  {words}")
