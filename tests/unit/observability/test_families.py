"""Every family of behaviour.md 4.13 is there, with its tags."""

from prometheus_client import CollectorRegistry

from perdure.observability.families import PREFIX, Children, Families


def test_dapr_families() -> None:
    registry = CollectorRegistry()
    Families(registry)
    found = {f.name.removeprefix(PREFIX) for f in registry.collect() if f.name.startswith(PREFIX)}
    assert found == {
        *("operation_count", "operation_latency", "execution_count", "execution_latency"),
        *("scheduling_latency", "activity_operation_count", "activity_operation_latency"),
        *("activity_execution_count", "activity_execution_latency"),
        *("payload_size_ratio", "activity_payload_size_ratio"),
    }


def test_a_child_is_found_again() -> None:
    families, children = Families(CollectorRegistry()), Children()
    first = children.count(families.stalls, "PATCH_MISMATCH")
    assert children.count(families.stalls, "PATCH_MISMATCH") is first
    assert children.count(families.stalls, "VERSION_NOT_AVAILABLE") is not first
