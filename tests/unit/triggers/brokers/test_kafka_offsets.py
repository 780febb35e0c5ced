"""What may be committed of a partition whose records are accepted in any order."""

import random

from perdure.triggers.brokers.kafka_offsets import Progress


def test_an_offset_moves_only_over_what_was_accepted() -> None:
    progress = Progress()
    for offset in (10, 11, 12):
        progress.take(offset)
    # To write down where the first one in hand stands does no harm.
    assert progress.accept(11) == 10
    assert progress.accept(10) == 12
    assert progress.accept(12) == 13


def test_gaps_are_passed_over() -> None:
    """Compaction and the marks of transactions leave offsets out."""
    progress = Progress()
    progress.take(5)
    progress.take(9)
    assert progress.accept(5) == 9
    assert progress.accept(9) == 10


def test_no_record_in_hand_is_ever_committed_over() -> None:
    chance = random.Random(1)
    for _ in range(200):
        progress, offsets = Progress(), sorted(chance.sample(range(1_000), 40))
        left = set(offsets)
        for offset in offsets:
            progress.take(offset)
        committed = 0
        for offset in chance.sample(offsets, len(offsets)):
            left.discard(offset)
            reached = progress.accept(offset)
            if reached is not None:
                assert reached > committed
                committed = reached
            assert committed <= min(left, default=offsets[-1] + 1)
        assert committed == offsets[-1] + 1
