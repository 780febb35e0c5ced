"""The trace: equal digests are equal runs, and the last lines are there to look at."""

from perdure.proving.trace import LINES_KEPT_MAX, Trace


def test_every_line_and_every_byte_counts() -> None:
    first, second, third = Trace(), Trace(), Trace()
    for trace in (first, second, third):
        trace.add(1_500_000, "ask", "1 ann start")
        trace.note(b"a")
    assert first.digest == second.digest
    second.note(b"b")
    third.add(1_500_001, "ask", "2 ann start")
    assert len({first.digest, second.digest, third.digest}) == 3
    assert first.last[-1] == "1 1.500000 ask 1 ann start"


def test_only_the_last_lines_are_kept() -> None:
    trace = Trace()
    for _ in range(LINES_KEPT_MAX + 10):
        trace.add(0, "x")
    assert len(trace.last) == LINES_KEPT_MAX
    assert trace.step == LINES_KEPT_MAX + 10
