"""The gauge that tells whether a cluster answers."""

from prometheus_client import CollectorRegistry, generate_latest

from perdure.observability.component_readings import ComponentReadings


def test_each_component_is_told_of_as_it_is_now() -> None:
    answers = {"cluster": True, "away": True}
    registry = CollectorRegistry()
    registry.register(ComponentReadings(lambda: answers))
    answers["away"] = False
    page = generate_latest(registry).decode()
    assert 'perdure_component_answers{component="away"} 0.0\n' in page
    assert 'perdure_component_answers{component="cluster"} 1.0\n' in page
