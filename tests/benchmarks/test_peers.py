"""What the run beside the peers says of its figures: medians, table, leads, chart, page, counts."""

import threading
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers import report
from benchmarks.peers.busy import Busy, busy_percent
from benchmarks.peers.chart import chart
from benchmarks.peers.syncs import count_in
from tests.docs.pages import ROOT

Figures = Mapping[str, float]
FAST: Figures = {"hello_per_s": 300.0, "alone_p50_ms": 9.0, "syncs_per_hello": 4.0}
SLOW: Figures = {"hello_per_s": 100.0, "alone_p50_ms": 3.0}
ENGINES = {"ours": FAST, "theirs": SLOW}


def test_medians_are_over_the_rounds_that_have_a_figure() -> None:
    rounds = [{"a": 1.0, "b": 5.0}, {"a": 9.0}, {"a": 2.0, "b": 7.0}]
    assert report.medians(rounds) == {"a": 2.0, "b": 6.0}


def test_an_engine_that_failed_in_every_round_has_no_figures() -> None:
    assert report.medians([{}, {}, {}]) == {}
    row = _rows(report.table({"ours": FAST, "theirs": {}}))["theirs"]
    assert set(row) == {report.NONE}


def test_the_best_of_each_column_is_in_bold_whoever_it_is() -> None:
    rows = _rows(report.table(ENGINES))
    assert rows["ours"][:2] == ["**300**", "9.0"]
    assert rows["theirs"][:2] == ["100", "**3.0**"]


def test_what_nobody_measured_is_not_invented() -> None:
    for row in _rows(report.table(ENGINES)).values():
        assert row[2:] == [report.NONE] * (len(report.COLUMNS) - 2)


def test_it_says_where_a_peer_is_ahead_and_by_how_much() -> None:
    assert report.ahead("ours", ENGINES, ["theirs"]) == [
        "- one at a time, p50 ms: theirs 3.0 times."
    ]
    assert report.ahead("theirs", ENGINES, ["ours"]) == ["- `hello`, workflows/s: ours 3.0 times."]


def test_the_syncs_stand_beside_what_the_engine_says_of_itself() -> None:
    row = _rows(report.facts(ENGINES, {"ours": "SQLite, FULL"}))
    assert row["ours"][:2] == ["SQLite, FULL", "4.0"]
    assert row["theirs"][:2] == [report.NONE, report.NONE]


def test_how_busy_workers_are_is_told_of_those_that_are_processes() -> None:
    engines = {"ours": {**FAST, "busy_hello_percent": 96.4}, "theirs": SLOW}
    rows = _rows(report.busy(engines))
    assert rows["ours"] == ["96", *[report.NONE] * (len(report.BUSY) - 1)]
    assert "theirs" not in rows


def test_only_the_middle_of_a_workload_counts_for_how_busy_it_was() -> None:
    coming = [(0.0, 0.0), (0.9, 0.0)]
    full = [(1.0, 0.0), (2.0, 0.5), (9.0, 4.0)]
    going = [(9.5, 4.0), (10.0, 4.0)]
    assert busy_percent([*coming, *full, *going]) == pytest.approx(50.0)
    assert busy_percent([(1.0, 0.0)]) is None
    assert busy_percent([]) is None


def test_a_process_is_sampled_beside_what_is_done() -> None:
    spent = iter(range(1_000))
    came = threading.Event()

    def cpu_s() -> float:
        number = next(spent)
        if number == 10:
            came.set()
        return float(number)

    with Busy(cpu_s) as busy:
        assert came.wait(60)
    assert busy.percent is not None
    assert busy.percent > 0


def test_the_chart_has_a_bar_for_each_figure_as_long_as_it_is_large() -> None:
    picture = ET.fromstring(chart({**ENGINES, "<odd & name>": {}}, ["ours"]))  # noqa: S314 - our own drawing
    panels = picture.findall("{*}g")
    assert len(panels) == len(report.COLUMNS)
    bars = [float(bar.attrib["width"]) for bar in panels[0].findall("{*}rect")]
    assert bars[0] == pytest.approx(bars[1] * 3, abs=0.2)
    assert bars[2] == 0
    words = [text.text for text in panels[0].findall("{*}text")]
    assert "<odd & name>" in words
    assert "not measured" in words


def test_only_what_is_between_the_marks_is_written_anew() -> None:
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    once = report.in_page(page, "new\n")
    assert once == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    assert report.in_page(once, "new") == once


def test_a_page_without_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="no place for figures"):
        report.in_page("words", "new")


def test_a_run_names_what_was_left_out_and_what_went_wrong() -> None:
    whole: dict[str, Any] = {
        "taken": "2020-01-02T03:04:05+00:00",
        "machine": {
            "cpus": 2,
            "cpu": "Z",
            "memory_gib": 8.0,
            "system": "Linux",
            "load_before": 0.1,
            "fdatasync_ms": 0.15,
        },
        "rounds": 3,
        "sizes": {
            "seconds": 3.0,
            "history_short": 10,
            "history_long": 100,
            "waiting": 1_000,
            "waiting_s": 6.0,
        },
        "versions": {"ours": {"perdure": "1"}, "theirs": {"dbos": "3"}},
        "left_out": {"daprd": "`daprd` is not on PATH"},
        "medians": ENGINES,
        "syncs": {},
        "trouble": [{"engine": "theirs", "what": "recovery: no answer within 45 s"}],
    }
    text = report.figures_section(whole, ["ours"])
    assert "- daprd: `daprd` is not on PATH" in text
    assert "- theirs: recovery: no answer within 45 s" in text
    assert "Where a peer is ahead of ours:\n\n- one at a time" in text
    assert "- theirs: dbos 3" in text


def test_syncs_are_counted_from_what_strace_tells(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text(
        "a line of the program\n"
        "fsync(3)                                = 0\n"
        "[pid 27299] fdatasync(4)                = 0\n"
        "[pid 27258] fdatasync(5 <unfinished ...>\n"
        "[pid 27258] <... fdatasync resumed>)    = 0\n"
        "half a line of the program [pid 7] msync(0x7f2f5a8c1000, 4096, MS_SYNC) = 0\n"
        "the program speaks of fsync()\n"
    )
    other = tmp_path / "worker.log"
    other.write_text("")
    assert count_in([log, other]) == 4


def test_the_target_and_its_page_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "\nbench-peers:" in makefile
    assert "-m benchmarks.peers --write docs/benchmarks.md" in makefile
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert report.in_page(page, "figures")


def _rows(table: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    return {cells[0]: cells[1:] for cells in lines}
