"""The statements and migrations of this store."""

from functools import partial
from typing import Final

from perdure.store.statements import migrations_of, statements_of

_HERE: Final = "perdure.store.postgres"

statements: Final = partial(statements_of, _HERE)
migrations: Final = partial(migrations_of, _HERE)
