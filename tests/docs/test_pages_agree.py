"""The documentation agrees with the code: flags, metrics, codes, fields, versions, links."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from perdure.api.http.query_fields import OPERATORS
from perdure.api.http.views import FIELDS
from perdure.app.config import Config
from perdure.app.configuration_file import read_configuration
from perdure.app.options import OPTIONS
from perdure.base.limits import MESSAGE_BYTES_MAX, RECEIPTS_KEPT_US
from perdure.base.time import SECOND_US
from perdure.cli.flags import FLAGS
from perdure.cli.main import app
from perdure.components.triggering import TriggerFigures
from perdure.core.events import StallReason
from perdure.core.views import Wait
from perdure.observability.component_readings import ComponentReadings
from perdure.observability.lease_readings import LeaseReading, LeaseReadings
from perdure.observability.metrics import Metrics
from perdure.observability.readings import EngineReading, Readings, StoreReading
from perdure.observability.trigger_readings import TriggerReadings
from perdure.store.query import Field
from perdure.wire.json_api.history import EVENT_TYPES
from tests.docs import pages
from tests.e2e import venvs

PAGES = pages.ours()
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
DOCS = pages.ROOT / "docs"
SOURCE = pages.ROOT / "src" / "perdure"
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_METRIC = re.compile(r"\b(?:dapr_runtime_workflow|perdure)_[a-z_]+\b")
# A program that is not ours stands at the beginning of its line, as does what goes on from it.
_OUR_PROGRAM = re.compile(r"^(?:[A-Z_]+=\S* )*perdure |^ +--")


@EACH_PAGE
def test_links_lead_somewhere(page: pages.Page) -> None:
    lost = [link for link in page.links if not _leads_somewhere(page, link)]
    assert not lost


def _leads_somewhere(page: pages.Page, link: str) -> bool:
    if link.startswith("https://"):
        return True
    file, _, anchor = link.partition("#")
    target = (page.path.parent / file).resolve() if file else page.path
    if not target.exists():
        return False
    return not anchor or anchor in pages.read(target).anchors


@EACH_PAGE
def test_files_of_the_repository_are_there(page: pages.Page) -> None:
    named = [span for span in page.spans if re.match(r"(?:tests|docs|examples|src)/", span)]
    assert not [name for name in named if not (pages.ROOT / name).exists()]


@EACH_PAGE
def test_targets_of_make_are_there(page: pages.Page) -> None:
    makefile = (pages.ROOT / "Makefile").read_text()
    named = [span.split()[1] for span in page.spans if span.startswith("make ")]
    assert not [name for name in named if f"\n{name}:" not in makefile]


@EACH_PAGE
def test_flags_exist(page: pages.Page) -> None:
    unknown = [flag for flag in _flags(page) if flag not in set(_flags_there_are())]
    assert not unknown


def _flags(page: pages.Page) -> Iterator[str]:
    for span in page.spans:
        if span.startswith(("--", "perdure ")):
            yield from _FLAG.findall(span)
    for block in page.blocks:
        if block.language == "bash" and "perdure" in block.text:
            ours = [line for line in block.text.splitlines() if _OUR_PROGRAM.match(line)]
            yield from (flag for line in ours for flag in _FLAG.findall(line.split(" -- ")[0]))


def _flags_there_are() -> Iterator[str]:
    yield "--help"
    programs = [typer.main.get_command(app)]
    while programs:
        program = programs.pop()
        for parameter in program.params:
            yield from (*parameter.opts, *parameter.secondary_opts)
        programs += getattr(program, "commands", {}).values()


def test_every_option_is_described() -> None:
    typed = {flag.name for flag in FLAGS}
    wanted = [
        [
            f"`{option.flag}`" if option.flag in typed else "none",
            _code(option.environment),
            _default(option.field),
        ]
        for option in OPTIONS
    ]
    told = [row[:3] for row in _table(DOCS / "configuration.md", "| flag | variables")]
    assert sorted(told) == sorted(wanted)


def _code(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _default(field: str) -> str:
    value = Config.model_fields[field].default
    match value:
        case None | "" | ():
            return "none"
        case tuple() | bool():
            return f"`{','.join(value)}`" if isinstance(value, tuple) else f"`{value}`".lower()
        case _ if value == MESSAGE_BYTES_MAX:
            return "`4Mi`"
        case _ if value == RECEIPTS_KEPT_US:
            return "`168h`"
        case int() if field.endswith("_us"):
            return f"`{value // SECOND_US}s`"
        case _:
            return f"`{value}`"


def _table(path: Path, begins: str) -> list[list[str]]:
    lines = path.read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(begins))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def test_the_configuration_shown_has_everything_that_is_read(tmp_path: Path) -> None:
    page = pages.read(DOCS / "configuration.md")
    file = tmp_path / "configuration.yaml"
    file.write_text(next(b.text for b in page.blocks if b.value == "configuration.yaml"))
    read = read_configuration(file)
    assert not read.warnings
    assert read.tracing is not None
    settings = read.workflow
    for name in settings.__slots__:
        assert getattr(settings, name), f"{name} is not in the example"


def test_metrics_are_told_and_exist() -> None:
    metrics = Metrics(app_id="docs", namespace="default", version="0")
    engine = EngineReading(
        ready_turns=0,
        ready_activities=0,
        outstanding_turns=0,
        outstanding_activities=0,
        open_streams=0,
        residents=0,
    )
    store = StoreReading(instances={"RUNNING": 0}, stuck=0)
    leases = LeaseReading(held=1, taken=1, taken_over=1, given_back=1, lost=1)
    triggers = TriggerFigures(
        messages={"t": {"started": 1}},
        paused={"t": False},
        received={"s": 1},
        connected={"s": True},
    )
    metrics.add(Readings(lambda: engine, lambda: store))
    metrics.add(TriggerReadings(lambda: triggers))
    metrics.add(LeaseReadings("a", lambda: leases))
    metrics.add(ComponentReadings(lambda: {"cluster": True}))
    names = re.findall(r"^# HELP (\S+)", metrics.render().decode(), re.MULTILINE)
    there_are = {name for name in names if _METRIC.fullmatch(name)}
    told = {name for page in PAGES for span in page.spans for name in _METRIC.findall(span)}
    told_here = set(_METRIC.findall((DOCS / "observability.md").read_text()))
    assert not told - there_are
    assert not there_are - told_here


def test_errors_are_told_and_exist() -> None:
    code = "\n".join(path.read_text() for path in (SOURCE / "api" / "http").rglob("*.py"))
    there_are = set(re.findall(r'"(ERR_[A-Z_]+)"', code))
    rows = _table(DOCS / "api.md", "| code | status |")
    assert {name for row in rows for name in re.findall(r"ERR_[A-Z_]+", row[0])} == there_are


def test_words_of_the_api_are_told() -> None:
    spans = set(pages.read(DOCS / "api.md").spans)
    words = (*FIELDS, *EVENT_TYPES, *OPERATORS, "AND", "OR", *(field.value for field in Field))
    assert not [word for word in words if word not in spans]


def test_paths_are_described() -> None:
    prose = pages.read(DOCS / "api.md").prose
    for name in ("start", "raiseEvent", "suspend", "resume", "terminate", "purge", "pause"):
        assert f"/{name}" in prose
    for name in ("healthz", "healthz/outbound", "metadata", "shutdown", "workflows/query"):
        assert f"/v1.0/{name}" in prose


def test_what_an_instance_waits_for_is_explained() -> None:
    page = pages.read(DOCS / "troubleshooting.md")
    words = [*(wait.value for wait in Wait), "resume", *(reason.name for reason in StallReason)]
    assert not [word for word in words if word not in page.spans]


def test_versions_of_sdks_are_those_that_are_tested() -> None:
    text = (DOCS / "sdks.md").read_text()
    readme = (pages.ROOT / "README.md").read_text()
    sdks = pages.ROOT / "tests" / "e2e" / "sdks"
    pom, package, go = (
        (sdks / name).read_text() for name in ("java/pom.xml", "js/package.json", "go/go.mod")
    )
    versions = [
        requirement.partition("==")[2]
        for environment in venvs.ALL.values()
        for requirement in environment.requirements
        if not requirement.startswith("durabletask-dapr")
    ]
    versions += re.findall(r"<artifactId>dapr-sdk-workflows</artifactId>\s*<version>([^<]+)<", pom)
    versions += re.findall(r'"@dapr/dapr": "([^"]+)"', package)
    versions += re.findall(r"github.com/dapr/go-sdk v(\S+)", go)
    assert len(versions) >= len(venvs.ALL) + 3
    for version in versions:
        assert version in text, f"docs/sdks.md does not name {version}"
        assert version in readme, f"README.md does not name {version}"


def test_the_changelog_keeps_its_form() -> None:
    lines = (pages.ROOT / "CHANGELOG.md").read_text().splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions
    for line in versions:
        assert re.fullmatch(r"## \[\d+\.\d+\.\d+\] - (?:Unreleased|\d{4}-\d\d-\d\d)", line), line
    assert lines[0] == "# Changelog"
