"""One node on Postgres beside one on SQLite, beside two, and beside DBOS; and the take-over."""
