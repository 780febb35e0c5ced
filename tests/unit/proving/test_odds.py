"""The odds of a run: drawn for each kind of fault by itself."""

from dataclasses import asdict
from random import Random

from perdure.proving.odds import QUIET, Odds, drawn


def test_each_kind_is_scaled_by_itself() -> None:
    usual = asdict(Odds())
    for seed in range(20):
        scaled = asdict(drawn(Random(seed), Odds()))
        factors = {round(scaled[name] / usual[name], 3) for name in usual}
        assert factors <= {0.0, 0.3, 1.0, 3.0}
        assert len(factors) > 1


def test_in_calm_weather_nothing_happens() -> None:
    assert set(asdict(QUIET).values()) == {0.0}
