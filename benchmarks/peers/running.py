"""Runs of several engines beside each other: installed, interleaved, told with their machine."""

import os
import platform
import signal
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Final

from benchmarks.peers import report
from benchmarks.peers.engine import Engine, UnavailableError
from benchmarks.peers.measuring import Round, Sizes, measure, tell

SYNC_SAMPLES: Final = 200
PAGE_BYTES: Final = 4_096
STOPS: Final = (signal.SIGINT, signal.SIGTERM)


def end_in_order() -> None:
    """Have a signal end what was started before this program."""
    for each in STOPS:
        signal.signal(each, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in STOPS:  # what ends the processes must not be stopped itself
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)


def installed(
    engines: Mapping[str, Engine],
) -> tuple[dict[str, Mapping[str, str]], dict[str, str]]:
    """Install what can be had: versions by name, and reasons for the rest."""
    versions: dict[str, Mapping[str, str]] = {}
    missing: dict[str, str] = {}
    for name, engine in engines.items():
        tell(f"installing {engine.name}")
        try:
            versions[name] = engine.install()
        except UnavailableError as reason:
            missing[engine.name] = str(reason)
            tell(f"  left out: {reason}")
    return versions, missing


def run_rounds(
    engines: Mapping[str, Engine], sizes: Sizes, count: int, *, throughput_alone: bool = False
) -> list[Round]:
    """Run the rounds, interleaved; each begins with another engine."""
    done, names = [], list(engines)
    for number in range(count):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            began = time.monotonic()
            tell(f"round {number + 1} of {count}: {engines[name].name}")
            done.append(
                measure(
                    engines[name],
                    sizes,
                    count_syncs=number == 0,
                    throughput_alone=throughput_alone,
                )
            )
            tell(f"  took {time.monotonic() - began:.0f} s")
    return done


def machine() -> dict[str, Any]:
    """Return what it is measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "fdatasync_ms": round(_fdatasync_ms(), 2),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _fdatasync_ms() -> float:
    """Return the median of what the disk takes for a page: with it, the syncs can be told apart."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNC_SAMPLES):
            file.write(os.urandom(PAGE_BYTES))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1_000


def told(
    engines: Mapping[str, Engine],
    versions: Mapping[str, Mapping[str, str]],
    rounds: Sequence[Round],
) -> dict[str, Any]:
    """Return what the report tells of each engine, by its name there."""
    by_engine = {
        engines[name].name: [each for each in rounds if each.engine == engines[name].name]
        for name in versions
    }
    return {
        "versions": {engines[name].name: dict(each) for name, each in versions.items()},
        "medians": {
            name: report.medians([each.figures for each in own]) for name, own in by_engine.items()
        },
        "syncs": {name: own[0].syncs for name, own in by_engine.items()},
        "trouble": [
            {"engine": each.engine, "what": each.trouble} for each in rounds if each.trouble
        ],
        "each_round": [asdict(each) for each in rounds],
    }
