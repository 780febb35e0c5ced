"""Gates, as a table of who is in."""

from perdure.worker.gates import Gate


def test_in_the_order_in_which_they_came_without_those_who_are_gone() -> None:
    gate, begun, gone = Gate(2), [], {"c"}

    def begin(name: str) -> bool:
        if name in gone:
            return False
        begun.append(name)
        return True

    for name in "abcde":
        gate.enter(lambda name=name: begin(name))  # type: ignore[misc]  # the default binds it
    assert begun == ["a", "b"]
    gate.leave()
    assert begun == ["a", "b", "d"]
    gate.leave()
    gate.leave()
    assert begun == ["a", "b", "d", "e"]
    gate.leave()
    gate.enter(lambda: begin("f"))
    assert begun[-1] == "f"


def test_one_that_is_gone_takes_no_place() -> None:
    gate, begun = Gate(1), ["nobody"]

    def second() -> bool:
        begun.append("second")
        return True

    gate.enter(lambda: False)
    gate.enter(second)
    assert begun == ["nobody", "second"]
