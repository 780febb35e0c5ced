"""The store in a Postgres database, which several nodes may share. Needs perdure[postgres]."""

from perdure.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
