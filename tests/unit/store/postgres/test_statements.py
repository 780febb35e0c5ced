"""SQL in files: every statement has its name, every migration its number."""

import pytest

from perdure.store.postgres.statements import migrations, statements


@pytest.mark.parametrize(
    "file",
    ["connecting", "dumping", "leasing", "learning", "migrating", "moving", "reading", "writing"],
)
def test_statements_are_told_apart_by_name(file: str) -> None:
    found = statements(file)
    assert found
    for name, sql in found.items():
        assert name == name.strip()
        assert sql == sql.strip()
        assert not sql.endswith(";")
        assert "--" not in sql


def test_migrations_are_numbered_from_one() -> None:
    assert list(migrations()) == list(range(1, len(migrations()) + 1))
