"""The same asked of both at once, Dapr's own sidecar and perdure, and their answers compared."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest

from tests.e2e.daprd.sidecar import Sidecar
from tests.e2e.serving import Server

Told = TypeVar("Told")
Either: TypeAlias = Sidecar | Server
Both: TypeAlias = tuple[Mapping[str, Told], Mapping[str, Told]]


def held_with_both(
    folders: pytest.TempPathFactory, converse: Callable[[Either, Path], Mapping[str, Told]]
) -> Both[Told]:
    """Hold a conversation with the sidecar and with perdure; return what each told, in order."""
    made = [folders.mktemp(name) for name in ("daprd", "perdure")]
    sides = (Sidecar(made[0]), Server.in_folder(made[1]))

    def hold(side: Either, folder: Path) -> Mapping[str, Told]:
        side.start()
        try:
            return converse(side, folder)
        finally:
            side.close()

    with ThreadPoolExecutor(2) as threads:
        theirs, ours = threads.map(hold, sides, made)
    return theirs, ours


def compare(name: str, both: Both[Told], meant: Mapping[str, str]) -> None:
    """Fail where the two differ and it is not meant, and where it is meant and no longer so."""
    theirs, ours = (told[name] for told in both)
    if name in meant:
        assert ours != theirs, f"no longer a difference: {meant[name]}"
    else:
        assert ours == theirs
