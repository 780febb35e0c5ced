"""What was sent in Microsoft's dialect, told by the events that are on disk.

Such a worker is sent events without what it cannot read, and no stalls (behaviour of
`wire.work_items`). The checkers compare with the disk to the byte: here what was sent is put back
into the words of the disk. What is on disk in no such form stays as it was sent, and is accused.
"""

from collections.abc import Iterable
from dataclasses import replace

from perdure.proving.images import Image
from perdure.proving.items import TurnItem
from perdure.wire.work_items import for_microsoft


def forms_of(events: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return stored events by each form in which they may be sent."""
    forms: dict[bytes, bytes] = {}
    for event in events:
        forms |= dict.fromkeys([*for_microsoft([event]), event], event)
    return forms


def as_stored(item: TurnItem, image: Image | None) -> TurnItem:
    """Return a turn with its events as they are on disk; `image` is of who bears the id now."""
    if image is None:
        return item
    history = tuple(row.event for row in image.history)
    is_whole = item.past_bytes == tuple(for_microsoft(history))
    forms = forms_of(row.add.event for row in image.inbox)
    return replace(
        item,
        past_bytes=history if is_whole else item.past_bytes,
        new_bytes=tuple(forms.get(event, event) for event in item.new_bytes),
    )
