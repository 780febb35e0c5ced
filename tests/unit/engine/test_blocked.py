"""What waits for a place of its name: in order, once each, one for each place."""

from perdure.engine.blocked import Blocked


def _free(_: str) -> bool:
    return False


def test_the_first_goes_first_and_each_is_there_once() -> None:
    blocked: Blocked[int, str] = Blocked()
    for key in (2, 1, 2, 3):
        blocked.add("app", "wf", key, f"{key}")
    assert [blocked.take("app", _free) for _ in range(4)] == [(2, "2"), (1, "1"), (3, "3"), None]
    assert not blocked


def test_names_and_apps_wait_for_themselves() -> None:
    blocked: Blocked[int, None] = Blocked()
    blocked.add("app", "full", 1, None)
    blocked.add("app", "free", 2, None)
    blocked.add("other", "free", 3, None)
    assert sorted(blocked.apps_of("free")) == ["app", "other"]
    assert blocked.take("app", lambda name: name == "full") == (2, None)
    assert blocked.take("app", lambda name: name == "full") is None
    assert blocked.apps_of("free") == ["other"]
    assert blocked.take("nobody", _free) is None


def test_what_is_of_no_use_any_more_is_taken_out() -> None:
    blocked: Blocked[int, str] = Blocked()
    for key in range(4):
        blocked.add("app", f"wf{key % 2}", key, f"{key}")
    assert blocked.take_where(lambda key, _: key % 2 == 0) == ["0", "2"]
    assert blocked.apps_of("wf0") == []
    assert blocked.take_where(lambda _key, _: True) == ["1", "3"]
    assert not blocked
