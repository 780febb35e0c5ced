"""NumberSeries are counted on, or those that were drawn."""

from perdure.store.postgres.numbering import counting, drawn_numbers

LAST = (10, 20, 30, 40, 50)


def test_numbers_are_counted_on() -> None:
    numbers = counting(LAST)
    assert [numbers.key.next(), numbers.key.next(), numbers.note_row.next()] == [11, 12, 51]
    assert numbers.given() == (2, 0, 0, 0, 1)
    assert numbers.are([[11, 12], [], [], [], [51]])
    assert not numbers.are([[11, 13], [], [], [], [51]])
    assert not numbers.are([[12, 13], [], [], [], [51]])


def test_drawn_numbers_are_given_out() -> None:
    numbers = drawn_numbers(LAST, [[13, 17], [], [], [], []])
    assert [numbers.key.next(), numbers.key.next()] == [13, 17]
    assert numbers.key.last == 17
