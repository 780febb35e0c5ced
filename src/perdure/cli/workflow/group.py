"""The programs of `perdure workflow`, in the order in which they are needed."""

import typer

from perdure.cli.workflow import changing, reading, rerunning, starting, watching

_LOOK = "Look"
_CHANGE = "Change"

workflow = typer.Typer(
    name="workflow",
    help="Start, look at and change workflows of a running server.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
workflow.command("start", epilog=starting.EXAMPLES, rich_help_panel=_CHANGE)(starting.start)
workflow.command("list", epilog=reading.LIST_EXAMPLES, rich_help_panel=_LOOK)(
    reading.list_instances
)
workflow.command("get", epilog=reading.GET_EXAMPLES, rich_help_panel=_LOOK)(reading.get)
workflow.command("history", epilog=reading.HISTORY_EXAMPLES, rich_help_panel=_LOOK)(reading.history)
workflow.command("watch", epilog=watching.EXAMPLES, rich_help_panel=_LOOK)(watching.watch)
workflow.command("raise-event", epilog=changing.RAISE_EXAMPLES, rich_help_panel=_CHANGE)(
    changing.raise_event
)
workflow.command("suspend", rich_help_panel=_CHANGE)(changing.suspend)
workflow.command("resume", rich_help_panel=_CHANGE)(changing.resume)
workflow.command("terminate", epilog=changing.TERMINATE_EXAMPLES, rich_help_panel=_CHANGE)(
    changing.terminate
)
workflow.command("purge", epilog=changing.PURGE_EXAMPLES, rich_help_panel=_CHANGE)(changing.purge)
workflow.command("rerun", epilog=rerunning.EXAMPLES, rich_help_panel=_CHANGE)(rerunning.rerun)
