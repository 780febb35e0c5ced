"""Deliberate breakages as data, and how one is in force for a while."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final


class Patch:
    """Puts other functions in the place of the engine's, and takes them out again."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, made: Callable[[Any], Any]) -> None:
        """Replace `owner.name` by what `made` makes of it."""
        found = vars(owner)[name]
        self._before.append((owner, name, found))
        inner = found.__func__ if isinstance(found, staticmethod) else found
        replaced = made(inner)
        setattr(owner, name, staticmethod(replaced) if inner is not found else replaced)

    def undo(self) -> None:
        for owner, name, found in reversed(self._before):
            setattr(owner, name, found)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One breakage: its name, what goes wrong, and under which conditions it shows."""

    name: str
    says: str
    breaks: Callable[[Patch], None]
    odds: Mapping[str, float] = field(default_factory=dict)  # instead of those of the seed
    settings: Mapping[str, Any] = field(default_factory=dict)
    first_seed: int = 1  # some show only now and then
    here: bool = False  # whether the app is in the node's process
    mixed: bool = False  # whether some workers speak Microsoft's dialect
    nodes: int = 1
    ways: Mapping[str, float] = field(default_factory=dict)  # between several nodes

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Break the engine for as long as this lasts."""
        patch = Patch()
        try:
            self.breaks(patch)
            yield
        finally:
            patch.undo()


MUTANTS: Final[dict[str, Mutant]] = {}


def mutant(says: str, **conditions: Any) -> Callable[[Callable[[Patch], None]], None]:
    """Register a function as the mutant of its name; `odds` and `settings` are as in `Mutant`."""

    def register(breaks: Callable[[Patch], None]) -> None:
        name = breaks.__name__.replace("_", "-")
        assert name not in MUTANTS, f"there are two mutants '{name}'"
        MUTANTS[name] = Mutant(name, says, breaks, **conditions)

    return register


def nothing(*_given: Any, **_named: Any) -> None:
    """What a forgotten step does."""


def every(number: int, otherwise: Callable[..., Any], instead: Callable[..., Any]) -> Any:
    """Return a function that does something else each n-th time."""
    count = 0

    def one_of(*given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return (instead if count % number == 0 else otherwise)(*given, **named)

    return one_of
