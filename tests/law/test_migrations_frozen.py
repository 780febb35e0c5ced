"""A migration that a store has been through never changes; a mistake in it is a new migration.

`migrations.STORE.sha256` is what `sha256sum *.sql` prints in the folder of a store's migrations.
All that there are stand in it, in the order in which they came. Whoever writes a new one adds its
line. A line that is there changes only with a migration that was in no release and in nobody's
store.
"""

import hashlib
from pathlib import Path

import pytest

from tests.law import tree

pytestmark = pytest.mark.parametrize("store", ["sqlite", "postgres"])


def _recorded(store: str) -> dict[str, str]:
    """File name to hash, as it was when the migration was written."""
    record = Path(__file__).with_name(f"migrations.{store}.sha256")
    lines = (line.split() for line in record.read_text("utf-8").splitlines())
    return {name: digest for digest, name in lines}


def _present(store: str) -> dict[str, str]:
    """File name to hash, as it is now."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((tree.SOURCE / "store" / store / "migrations").glob("*.sql"))
    }


def test_recorded_migrations_have_not_changed(store: str) -> None:
    present = _present(store)
    changed = [name for name, digest in _recorded(store).items() if present.get(name) != digest]
    assert not changed, "recorded, and changed or gone: " + ", ".join(changed)


def test_every_migration_is_recorded_in_its_order(store: str) -> None:
    assert list(_recorded(store)) == sorted(_present(store))


def test_migrations_are_numbered_without_a_gap(store: str) -> None:
    numbers = [int(name.split("_")[0]) for name in sorted(_present(store))]
    assert numbers == list(range(1, len(numbers) + 1))
