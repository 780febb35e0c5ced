"""`perdure trigger pause` and `resume`."""

from perdure.cli.output import show
from perdure.cli.trigger import options
from perdure.cli.trigger.calls import connected
from perdure.cli.workflow.options import Server


def pause(names: options.Names, server: Server = None) -> None:
    """Take no more messages, also after a restart; they wait where they come from."""
    with connected(server) as calls:
        for name in names:
            calls.change(name, "pause")
            show(f"{name} is paused.")


def resume(names: options.Names, server: Server = None) -> None:
    """Take messages again."""
    with connected(server) as calls:
        for name in names:
            calls.change(name, "resume")
            show(f"{name} takes messages again.")
