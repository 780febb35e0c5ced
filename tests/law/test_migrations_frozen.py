"""A migration that a file has been through never changes; a mistake in it is a new migration.

`migrations.sha256` is what `sha256sum *.sql` prints in the folder of the migrations. A migration is
recorded when it is released, so the recorded ones come before all others.
"""

import hashlib
from pathlib import Path

from tests.law import tree

MIGRATIONS = tree.SOURCE / "store/sqlite/migrations"
RECORD = Path(__file__).with_name("migrations.sha256")


def _recorded() -> dict[str, str]:
    """File name to hash, as it was when the migration was released."""
    lines = (line.split() for line in RECORD.read_text("utf-8").splitlines())
    return {name: digest for digest, name in lines}


def _present() -> dict[str, str]:
    """File name to hash, as it is now."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(MIGRATIONS.glob("*.sql"))
    }


def test_recorded_migrations_have_not_changed() -> None:
    present = _present()
    changed = [name for name, digest in _recorded().items() if present.get(name) != digest]
    assert not changed, "released, and changed or gone: " + ", ".join(changed)


def test_new_migrations_come_after_the_recorded_ones() -> None:
    recorded = sorted(_recorded())
    assert sorted(_present())[: len(recorded)] == recorded


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(name.split("_")[0]) for name in sorted(_present())]
    assert numbers == list(range(1, len(numbers) + 1))
