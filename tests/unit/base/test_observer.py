"""Reports reach everyone who listens, and nobody else is asked."""

from perdure.base.observer import NullObserver, Observer, Subject, fan_out

SUBJECT = Subject("i-1", "order", "shop")


class Ear(NullObserver):
    """Listens to suspensions."""

    def __init__(self) -> None:
        self.heard: list[tuple[Subject, int]] = []

    def instance_suspended(self, subject: Subject, *, at_us: int) -> None:
        self.heard.append((subject, at_us))


def test_every_listener_hears_a_report() -> None:
    first, second = Ear(), Ear()
    fan_out([first, NullObserver(), second]).instance_suspended(SUBJECT, at_us=7)
    assert first.heard == second.heard == [(SUBJECT, 7)]


def test_what_nobody_listens_to_is_fine() -> None:
    ear = Ear()
    fan_out([ear, ear]).instance_resumed(SUBJECT, at_us=7)
    assert ear.heard == []


def test_one_observer_stands_for_itself() -> None:
    ear = Ear()
    assert fan_out([ear]) is ear


def test_no_observer_at_all_is_fine() -> None:
    fan_out([]).instance_suspended(SUBJECT, at_us=7)


def test_fans_may_be_nested() -> None:
    ear = Ear()
    inner = fan_out([ear, NullObserver()])
    fan_out([inner, NullObserver()]).instance_suspended(SUBJECT, at_us=1)
    assert ear.heard == [(SUBJECT, 1)]


def test_the_null_observer_is_an_observer() -> None:
    observer: Observer = NullObserver()
    observer.commit_landed(entries=1, duration_us=10)
