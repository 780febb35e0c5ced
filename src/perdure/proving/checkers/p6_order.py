"""P6: events keep their order and none is lost on the way to the workflow, whatever generation."""

from perdure.core.events import EventRaised, EventSent
from perdure.proving.auditor import HandOut
from perdure.proving.checkers.base import Checker
from perdure.proving.disk import Commit
from perdure.proving.flow import Strayed
from perdure.proving.images import Image
from perdure.proving.items import TurnItem
from perdure.proving.steps import decide


class Order(Checker):
    """What came first is seen first, and continue-as-new keeps what was not read."""

    promise = "P6"

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            before, after = change.before, change.after
            if before is None or after is None:
                continue
            self._in_order(after)
            self._sent(before, after)
            if after.generation == before.generation + 1 and after.key not in self.auditor.tainted:
                self._kept(before, after)

    def _sent(self, before: Image, after: Image) -> None:
        """What an instance sends to another one that is there arrives with the same commit."""
        known = len(before.history) if before.generation == after.generation else 0
        for event in after.past()[known:]:
            if not isinstance(event, EventSent) or event.input in self.auditor.marks_seen:
                continue
            target = self.images.by_id.get(event.instance_id)
            born = 0 if target is None else self.auditor.born_step.get(target.key, 0)
            if target is not None and not target.finished and born < self.auditor.step:
                text = f"'{after.instance_id}' has sent an event to '{event.instance_id}'"
                self.accuse(f"{text} and it never came")

    def _in_order(self, image: Image) -> None:
        last: dict[str, int] = {}
        for event in _raised(image):
            client, number = _sender(event.input or "")
            if number is None or event.input in self.auditor.unsure_events:
                continue
            if number <= last.get(client, -1):
                text = f"events of {client} to '{image.instance_id}' are out of order"
                self.accuse(f"{text}: {number} after {last[client]}")
            last[client] = number

    def _kept(self, before: Image, after: Image) -> None:
        """Every event of the old generation was taken by the program or is there again."""
        answered = self._handed_out(before)
        if answered is None:
            self.accuse(f"'{after.instance_id}' continued as new from a turn nobody was handed")
            return
        item = answered.item
        assert isinstance(item, TurnItem), "the books keep turns apart from activities"
        try:
            decided = decide(item.known, item.new)
        except Strayed:
            return  # P7 accuses
        shown = set(item.new_bytes)
        unread = [(name, value or "") for name, value in decided.unread]
        waiting = [
            (event.name, event.input or "")
            for row, event in zip(before.inbox, before.unread(), strict=True)
            if isinstance(event, EventRaised) and row.add.event not in shown
        ]
        there = [(event.name, event.input or "") for event in _raised(after)]
        wanted = [*unread, *waiting]
        if there[: len(wanted)] != wanted:
            text = f"'{after.instance_id}' continued as new with {there}"
            self.accuse(f"{text}, and {wanted} were unread")

    def _handed_out(self, before: Image) -> HandOut | None:
        position = len(before.history)
        for out in reversed(self.auditor.turns_of.get(before.key, ())):
            if out.generation == before.generation and out.position == position:
                return out
        return None


def _raised(image: Image) -> list[EventRaised]:
    events = [*image.past(), *image.unread()]
    return [event for event in events if isinstance(event, EventRaised)]


def _sender(payload: str) -> tuple[str, int | None]:
    """Return who sent an event, and its number, from what is written in it."""
    kind, _, rest = payload.partition(" ")
    if kind != "event":
        return "", None
    client, _, number = rest.partition(" ")
    return client, int(number)
