"""The engine: a ring that runs one way.

Request or turn result, core, committer, dispatcher, worker, and round again. `service` is its
face; every other room does one thing between the pure core and the store.
"""
