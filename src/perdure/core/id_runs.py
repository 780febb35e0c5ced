"""A set of action ids, kept as runs: SDKs count upwards, so that one run holds a whole history."""

from bisect import bisect_right

Runs = tuple[tuple[int, int], ...]  # (first, last) of each, in order, with a gap between two


def has_id(runs: Runs, action_id: int) -> bool:
    """Tell whether an id is in the set."""
    at = _place(runs, action_id)
    return at > 0 and action_id <= runs[at - 1][1]


def with_id(runs: Runs, action_id: int) -> Runs:
    """Return the set with an id added."""
    if has_id(runs, action_id):
        return runs
    at = _place(runs, action_id)
    first = last = action_id
    before, after = runs[:at], runs[at:]
    if before and before[-1][1] == action_id - 1:
        first, before = before[-1][0], before[:-1]
    if after and after[0][0] == action_id + 1:
        last, after = after[0][1], after[1:]
    return (*before, (first, last), *after)


def _place(runs: Runs, action_id: int) -> int:
    """Return the index of the first run that begins after an id."""
    return bisect_right(runs, action_id, key=lambda run: run[0])
