"""A program that holds a file until its input ends, or is killed."""

import sys

from perdure.base.errors import StoreError
from perdure.store.sqlite import SqliteStore


def main() -> None:
    try:
        store = SqliteStore(sys.argv[1])
    except StoreError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        return
    sys.stdout.write("open\n")
    sys.stdout.flush()
    sys.stdin.read()
    store.close()


if __name__ == "__main__":
    main()
