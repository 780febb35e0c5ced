"""What a hand-out is of, as the disk tells."""

from dataclasses import replace

from perdure.core.events import ExecutionStarted, TaskScheduled
from perdure.proving.auditor import UNBORN, HandOut
from perdure.proving.images import Image, event_of
from perdure.proving.items import ActivityItem, TurnItem
from perdure.proving.node import Node


def hand_out_of(
    item: TurnItem | ActivityItem, image: Image | None, node: Node, stream: str
) -> HandOut:
    """Return what a hand-out is of, as the disk tells."""
    if image is not None and not _is_of(item, image):
        image = None
    generation = 0 if image is None else image.generation
    if image is not None and isinstance(item, TurnItem):
        # What its worker has kept of the history is left out of the item.
        item = replace(item, known=tuple(image.past()))
    if image is not None and isinstance(item, ActivityItem):
        generation = _generation_of(item, image)
    return HandOut(
        node=node.home.name,
        link=stream,
        key=UNBORN if image is None else image.key,
        item=item,
        generation=generation,
        position=0 if image is None else len(image.history),
    )


def _is_of(item: TurnItem | ActivityItem, image: Image) -> bool:
    """Tell whether an item may be of this life of its id, and not of one that is not born yet."""
    if not isinstance(item, TurnItem):
        return True
    starts = [event for event in item.new if isinstance(event, ExecutionStarted)]
    known = [event_of(row.add.event) for row in image.inbox] + image.past()[:2]
    # Microsoft's workers are sent no routes.
    return not starts or replace(starts[0], router=None) in [replace(e, router=None) for e in known]


def _generation_of(item: ActivityItem, image: Image) -> int:
    """An activity may be of a generation that is over."""
    for row in image.open_tasks:
        scheduled = event_of(row.add.event)
        same = isinstance(scheduled, TaskScheduled) and scheduled.input == item.input
        if row.add.task_id == item.task_id and same:
            return row.add.generation
    return image.generation
