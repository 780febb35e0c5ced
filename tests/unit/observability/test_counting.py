"""What counts in plain numbers tells the same as the library does."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram

from perdure.observability.counting import PlainCounter, PlainHistogram

BUCKETS = (0.5, 1.0, 5.0)
observed = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]), st.sampled_from([0.0, 0.1, 0.5, 0.6, 1.0, 4.9, 5.0, 9.0])
    ),
    max_size=20,
)


def told(registry: CollectorRegistry) -> list[tuple[str, dict[str, str], float]]:
    return [
        (sample.name, sample.labels, sample.value)
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    ]


@given(observed)
def test_a_histogram_tells_what_the_librarys_tells(values: list[tuple[str, float]]) -> None:
    pages = []
    for kind in (Histogram, PlainHistogram):
        registry = CollectorRegistry()
        family = kind("took", "How long.", ("who",), registry=registry, buckets=BUCKETS)
        for who, value in values:
            family.labels(who).observe(value)
        pages.append(told(registry))
    assert pages[0] == pages[1]


@given(observed)
def test_a_counter_tells_what_the_librarys_tells(values: list[tuple[str, float]]) -> None:
    pages = []
    for kind in (Counter, PlainCounter):
        registry = CollectorRegistry()
        family = kind("came", "How many.", ("who",), registry=registry)
        for who, value in values:
            family.labels(who).inc(value)
        pages.append(told(registry))
    assert pages[0] == pages[1]


def test_without_labels_there_is_one_number() -> None:
    registry = CollectorRegistry()
    PlainCounter("came", "How many.", registry=registry).inc()
    PlainHistogram("took", "How long.", registry=registry, buckets=BUCKETS).observe(0.7)
    assert registry.get_sample_value("came_total") == 1
    assert registry.get_sample_value("took_bucket", {"le": "1.0"}) == 1
    assert registry.get_sample_value("took_bucket", {"le": "0.5"}) == 0
