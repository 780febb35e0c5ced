"""The simulation of a large fleet: it comes to rest, moves little, and says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.scale.fleet import Fleet
from benchmarks.scale.loads import spread
from perdure.base.time import SECOND_US

_LEASE_US = 5 * SECOND_US
_LIMIT_US = 60 * SECOND_US


def _fleet(nodes: int, partitions: int = 64, seed: int = 1) -> Fleet:
    fleet = Fleet(partitions, _LEASE_US, seed)
    fleet.come(nodes, SECOND_US)
    fleet.pass_time(SECOND_US)
    assert fleet.until_even(_LIMIT_US) is not None
    fleet.take_figures()
    return fleet


@pytest.mark.parametrize("seed", range(5))
def test_a_fleet_comes_to_rest_and_stays(seed: int) -> None:
    fleet = _fleet(10, seed=seed)
    held = fleet.held()
    assert sorted(held.values()) == [6] * 6 + [7] * 4
    fleet.pass_time(30 * SECOND_US)
    figures = fleet.take_figures()
    assert (figures.claims, figures.releases, fleet.held()) == (0, 0, held)
    assert figures.renewals >= 64 * 30 / 5
    fleet.close()


@pytest.mark.parametrize("seed", range(5))
def test_what_the_dead_had_is_taken_over_within_a_lease_and_a_beat(seed: int) -> None:
    fleet = _fleet(10, seed=seed)
    gone = fleet.some(2)
    lost = sum(fleet.held()[node.home.name] for node in gone)
    for node in gone:
        node.die()
    even_s = fleet.until_even(_LIMIT_US)
    assert even_s is not None
    assert even_s <= 5 * 1.3 + 1
    moved = fleet.take_figures().moves
    assert lost <= len([each for each in moved if each.app_id]) <= lost + 2
    fleet.close()


def test_who_comes_gets_its_share_and_nothing_else_moves() -> None:
    fleet = _fleet(9)
    fleet.come(1, 0)
    fleet.pass_time(SECOND_US)
    assert fleet.until_even(_LIMIT_US) is not None
    assert len(fleet.take_figures().moves) in {6, 7}
    fleet.close()


def test_who_leaves_in_good_order_is_not_waited_for() -> None:
    fleet = _fleet(10)
    (node,) = fleet.some(1)
    node.leave()
    even_s = fleet.until_even(_LIMIT_US)
    assert even_s is not None
    assert even_s < 1
    fleet.close()


def test_instances_are_spread_as_by_chance() -> None:
    numbered, drawn, busy = spread(
        nodes=10, partitions=64, sampled=100_000, instances=1_000_000, seed=1
    )
    for load in (numbered, drawn):
        assert load.by_chance is not None
        assert 1 <= load.busiest_partition <= load.by_chance * 1.05
        assert load.instances_per_partition == 15_625
    assert busy.busiest_partition > 2


def test_figures_are_printed(tmp_path: Path) -> None:
    small = ("--nodes", "6", "--partitions", "32", "--lease-seconds", "5", "--sampled", "10000")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", *small, "--json", str(tmp_path / "out.json")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a third dies at once" in done.stdout
    report = json.loads((tmp_path / "out.json").read_text())
    assert all(phase["even_after_s"] is not None for phase in report["phases"])
    assert len(report["loads"]) == 3
