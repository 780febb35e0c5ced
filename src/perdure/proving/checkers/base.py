"""What a checker is: it is shown what happens, and accuses when a promise is broken."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from perdure.proving.auditor import Auditor, HandOut
from perdure.proving.calls import Call
from perdure.proving.disk import Commit
from perdure.proving.node import Node

Accuse = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, where it was seen."""

    promise: str
    text: str
    step: int


class Checker:
    """Looks after one promise. What it is not interested in it passes over."""

    promise = ""

    def __init__(self, auditor: Auditor, accuse: Accuse) -> None:
        """Look things up in the books, and accuse by a promise and a text."""
        self.auditor = auditor
        self.images = auditor.images
        self._accuse = accuse

    def accuse(self, text: str) -> None:
        """Say that the promise was broken."""
        self._accuse(self.promise, text)

    def landed(self, commit: Commit) -> None:
        """Look at a commit that has landed."""

    def handed_out(self, node: Node, out: HandOut) -> None:
        """Look at a work item that has been handed out."""

    def answered(self, node: Node, call: Call) -> None:
        """Look at a reply that a node has made."""

    def told(self, node: Node, keys: Sequence[int]) -> None:
        """Look at instances of which a node has just heard what is on disk."""

    def swept(self, nodes: Iterable[Node]) -> None:
        """Look at everything, now that nothing is under way anywhere."""

    def ended(self, nodes: Iterable[Node]) -> None:
        """Look at what is left when everything has finished."""


def is_told(node: Node, key: int) -> bool:
    """Tell whether a node knows everything of an instance that is on disk."""
    return not node.store.in_doubt and node.crew.untold[key] <= 0 and not node.is_behind(key)
