"""What a Kubernetes watch tells, and what a list tells that was taken after it was torn; pure.

Theory of operation.
- The place in the stream is the resource version up to which everything has been handed on, when
  the youngest objects until then were created, and which they are. A message is named by its
  object's uid and resource version, so that what comes twice is the same message.
- A list after `410 Gone` is compared with the place: what is not newer has been told. Of what is
  newer, an object is modified if it was known, is older than the youngest or one of them; else it
  is added. The API server's clock dates them all, so ours does not matter.
- While a list is told, the place says so, and of which version the list was. If it is interrupted,
  the next list begins from the same place: an object that the first told as added has the same name
  again, and what has happened to it since the first list is told besides.
- An object that is known and no longer listed was deleted. What was deleted while nobody watched,
  and is not known either, cannot be told.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from perdure.base import rfc3339
from perdure.triggers.port import Message

# So many objects are known by their uid at most; beyond that, deletions may go untold after a gap.
KNOWN_MAX: Final = 100_000
# Of the objects of one second so many are told apart by the first part of their uid.
YOUNGEST_MAX: Final = 100
_MARK_CHARS: Final = 8
_NONE: Final = "-"
_PARTS: Final = 5
# Older than every version.
NOWHERE: Final = "-"

# What JSON is made of.
Object = Mapping[str, Any]


class Change(Enum):
    """What happened to an object, in the words of the API."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


# In Dapr's words.
_WORDS: Final = {Change.ADDED: "add", Change.MODIFIED: "update", Change.DELETED: "delete"}


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where everything has been handed on."""

    version: str = NOWHERE
    youngest_us: int = 0
    youngest: frozenset[str] = frozenset()  # the beginnings of their uids
    listed: str | None = None  # the version of a list that has been told in part

    def after(self, version: str, seen: Iterable[Object]) -> "Place":
        """Return the place at a later version, when these objects have been seen, too."""
        youngest_us, youngest = self.youngest_us, set(self.youngest)
        for found in seen:
            created_us = _created_us(found) or 0
            if created_us > youngest_us:
                youngest_us = created_us
                youngest.clear()
            if created_us == youngest_us and len(youngest) < YOUNGEST_MAX:
                youngest.add(_mark(found))
        return Place(version, youngest_us, frozenset(youngest))

    def text(self, subject: str) -> str:
        """Return it as a source's position; `subject` says of what it is the place."""
        marks = ",".join(sorted(self.youngest)) or _NONE
        listed = self.listed or _NONE
        return f"{self.version} {rfc3339.render(self.youngest_us)} {marks} {listed} {subject}"


def place_of(position: str | None, subject: str) -> Place | None:
    """Return the place that a position names, or None if it is not one of this subject."""
    parts = (position or "").split(" ", _PARTS - 1)
    if len(parts) != _PARTS or parts[-1] != subject:
        return None
    version, moment, marks, listed, _ = parts
    youngest_us = rfc3339.parse(moment)
    if not version or youngest_us is None:
        return None
    youngest = frozenset(marks.split(",")) - {_NONE}
    return Place(version, youngest_us, youngest, None if listed == _NONE else listed)


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of an object; `by_list` where no event of a watch has told it."""

    change: Change
    found: Object
    by_list: bool = False


@dataclass(slots=True)
class Known:
    """The objects that were seen since the source began, by uid: their last metadata."""

    objects: dict[str, Object] = field(default_factory=dict)
    complete: bool = False

    def note(self, change: Change, found: Object) -> None:
        """Take note of what happened to an object."""
        uid = uid_of(found)
        if change is Change.DELETED:
            self.objects.pop(uid, None)
        elif uid in self.objects or len(self.objects) < KNOWN_MAX:
            self.objects[uid] = _remembered(found)
        else:
            self.complete = False

    def begin_anew(self, listed: Iterable[Object]) -> None:
        """Know what was listed, and nothing else."""
        self.objects.clear()
        self.complete = True
        for found in listed:
            self.note(Change.ADDED, found)


def listed_changes(listed: Sequence[Object], place: Place, known: Known) -> list[Told]:
    """Return what happened since `place`, as far as a list tells it, oldest first."""
    told: list[Told] = []
    for found in in_order(listed):
        if not is_newer(version_of(found), place.version):
            continue
        change = _listed_change(found, place, known)
        told.append(Told(change, found, by_list=change is Change.ADDED))
        was_told = change is Change.ADDED and place.listed is not None
        if was_told and is_newer(version_of(found), place.listed or NOWHERE):
            told.append(Told(Change.MODIFIED, found))
    there = {uid_of(found) for found in listed}
    gone = [found for uid, found in known.objects.items() if uid not in there]
    return [*told, *(Told(Change.DELETED, found) for found in gone)]


def _listed_change(found: Object, place: Place, known: Known) -> Change:
    if uid_of(found) in known.objects:
        return Change.MODIFIED
    created_us = _created_us(found)
    # Moments of creation are in whole seconds: which objects were the youngest is known besides.
    is_old = created_us is not None and created_us < place.youngest_us
    return Change.MODIFIED if is_old or _mark(found) in place.youngest else Change.ADDED


def _mark(found: Object) -> str:
    return uid_of(found)[:_MARK_CHARS]


def _created_us(found: Object) -> int | None:
    return rfc3339.parse(str(metadata_of(found).get("creationTimestamp", "")))


def in_order(listed: Sequence[Object]) -> list[Object]:
    """Return objects in the order of their resource versions, where these can be compared."""
    return sorted(listed, key=lambda found: _number(version_of(found)) or 0)


def is_newer(version: str, than: str) -> bool:
    """Tell whether a resource version is newer; what cannot be compared is."""
    one, other = _number(version), _number(than)
    return one is None or other is None or one > other


def _number(version: str) -> int | None:
    is_number = version.isascii() and version.isdigit() and len(version) <= 20  # noqa: PLR2004 - fewer than 64 bits
    return int(version) if is_number else None


def metadata_of(found: Object) -> Object:
    """Return an object's metadata."""
    metadata = found.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def uid_of(found: Object) -> str:
    """Return an object's uid."""
    return str(metadata_of(found).get("uid", ""))


def version_of(found: Object) -> str:
    """Return an object's resource version."""
    return str(metadata_of(found).get("resourceVersion", ""))


def message_of(told: Told, *, position: str, received_at_us: int) -> Message:
    """Return the message of a change, its body as Dapr writes it."""
    found = told.found
    metadata = metadata_of(found)
    word = _WORDS[told.change]
    is_gone = told.change is Change.DELETED
    # Dapr's binding holds every object in memory to tell an update's old value; here it is empty.
    body = {
        "event": word,
        "oldVal": found if is_gone else {},
        "newVal": {} if is_gone else found,
    }
    described = {
        "event": word,
        "apiVersion": found.get("apiVersion"),
        "kind": found.get("kind"),
        "namespace": metadata.get("namespace"),
        "name": metadata.get("name"),
        "uid": metadata.get("uid"),
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return Message(
        message_id=_message_id(told),
        data=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        content_type="application/json",
        attributes=tuple(
            (key, str(value)) for key, value in described.items() if value is not None
        ),
        received_at_us=received_at_us,
        position=position,
        named_after=str(metadata.get("name", "")) or None,
    )


def _message_id(told: Told) -> str:
    uid = uid_of(told.found)
    if told.by_list:
        return f"{uid}/listed"
    suffix = "/deleted" if told.change is Change.DELETED else ""
    return f"{uid}/{version_of(told.found)}{suffix}"


def _remembered(found: Object) -> Object:
    """Return what is kept of an object: enough to tell that it was deleted."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "labels")
    metadata = {name: value for name, value in metadata_of(found).items() if name in kept}
    return {
        "apiVersion": found.get("apiVersion"),
        "kind": found.get("kind"),
        "metadata": metadata,
    }
