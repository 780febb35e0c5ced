"""The programs of `perdure trigger`, in the order in which they are needed."""

import typer

from perdure.cli.trigger import changing, letters, reading, trying

_LOOK = "Look"
_TRY = "Try"
_CHANGE = "Change"

trigger = typer.Typer(
    name="trigger",
    help="Look at and change the triggers of a running server, and try new ones.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
trigger.command("list", rich_help_panel=_LOOK)(reading.list_triggers)
trigger.command("show", rich_help_panel=_LOOK)(reading.show_trigger)
trigger.command("dead-letters", epilog=letters.EXAMPLES, rich_help_panel=_LOOK)(
    letters.dead_letters
)
trigger.command("test", epilog=trying.TEST_EXAMPLES, rich_help_panel=_TRY)(trying.try_message)
trigger.command("backtest", epilog=trying.BACKTEST_EXAMPLES, rich_help_panel=_TRY)(trying.backtest)
trigger.command("pause", rich_help_panel=_CHANGE)(changing.pause)
trigger.command("resume", rich_help_panel=_CHANGE)(changing.resume)
trigger.command("edit", epilog=letters.EDIT_EXAMPLES, rich_help_panel=_CHANGE)(letters.edit)
trigger.command("replay", epilog=letters.REPLAY_EXAMPLES, rich_help_panel=_CHANGE)(letters.replay)
trigger.command("discard", rich_help_panel=_CHANGE)(letters.discard)
