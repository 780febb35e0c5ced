"""`perdure check` as a deployment runs it: on a store that is in use, on its server, on exports."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from perdure import Engine
from tests.e2e.programs import clean_environment
from tests.e2e.serving import HOST, free_ports

pytestmark = pytest.mark.timeout(300)

DEADLINE_S = 60
CODE = """
from perdure import Registry, WorkflowContext

app = Registry()


@app.activity()
def charge(ctx, amount: int) -> str:
    return f"receipt of {amount}"


@app.workflow()
async def order(ctx: WorkflowContext, amount: int):
    CHANGES
    receipt = await ctx.call_activity(charge, amount)
    return [receipt, await ctx.wait_for_external_event("approved")]
"""
OLD = CODE.replace("    CHANGES\n", "")
NEW = CODE.replace("CHANGES", 'await ctx.call_activity("reserve", amount)')


async def perdure(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the program in a folder; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "perdure",
        *arguments,
        cwd=folder,
        env=clean_environment({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "old.py").write_text(OLD)
    (tmp_path / "new.py").write_text(NEW)
    return tmp_path


async def test_what_new_code_would_break_is_told_from_everywhere(shop: Path) -> None:
    registry: dict[str, Any] = {}
    exec(compile(OLD, "old.py", "exec"), registry)  # noqa: S102 - the application, as it is
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    async with Engine(shop / "orders.db", registry=registry["app"], http=port) as engine:
        for number in range(3):
            handle = await engine.start("order", 3, id=f"o-{number}")
            while (await handle.wait_for_start(DEADLINE_S)).waits_for != "event":  # noqa: ASYNC110 - a person's program may ask so
                await asyncio.sleep(0)  # nobody tells of that
        await engine.raise_event("o-0", "approved", "yes")
        await engine.handle("o-0").wait(DEADLINE_S)
        exports = ["export", "--unfinished", "--to"]
        assert (await perdure(shop, *exports, "by-file", "--store", "orders.db"))[0] == 0
        assert (await perdure(shop, *exports, "by-server", "--server", url))[0] == 0
        told = await perdure(shop, "workflow", "history", "o-1", "--json", "--server", url)
        (shop / "told").mkdir()
        (shop / "told" / "o-1.json").write_text(told[1])
        for source, count in (
            (["--store", "orders.db"], 2),
            (["--server", url], 2),
            (["by-file"], 2),
            (["by-server"], 2),
            (["told"], 1),
        ):
            code, text = await perdure(shop, "check", *source, "--app", "old:app")
            assert (code, text) == (0, f"{count} of {count} would go on as before\n"), source
            code, text = await perdure(shop, "check", *source, "--app", "new:app", "--json")
            assert code == 1, source
            found = json.loads(text)
            assert (found["checked"], found["breaks"]) == (count, count), source
            apart = ["--app", "new:app", "--app-id", "another"]
            if source != ["told"]:
                assert (await perdure(shop, "check", *source, *apart))[0] == 0
            finding = found["instances"][-1]
            assert finding["recorded"] == "activity 'charge'"
            assert finding["asked"] == "activity 'reserve'"
            assert finding["file"].endswith("new.py")


async def test_an_app_that_starts_itself_is_told_where_that_belongs(shop: Path) -> None:
    (shop / "here").mkdir()
    (shop / "starts.py").write_text(
        "import threading\nfrom old import app\nthreading.Event().wait()\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "perdure", "check", "here", "--app", "starts:app"),
        cwd=shop,
        env=clean_environment({}),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            told = await process.stderr.readline() + await process.stderr.readline()
    finally:
        process.kill()
        await process.wait()
    assert told.decode().startswith("starts is still being imported.")
    assert 'below `if __name__ == "__main__":`' in told.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--app", "old:app"], 2, "It has to be said, once, where the histories are."),
        (["gone", "--app", "old:app"], 3, "There is no gone."),
        (["here", "--store", "x.db", "--app", "old:app"], 2, "once"),
        (["--store", "postgres://db/x", "--app", "old:app"], 2, "Have --server ask the server"),
        (["here", "--app", "elsewhere:app"], 2, "there is no module elsewhere here"),
        (["here", "--app", "old:nothing"], 2, "there is no 'nothing'"),
        (["here", "--app", "broken:app"], 2, "cannot be imported: ZeroDivisionError"),
        (["here", "--app", "leaves:app"], 2, "cannot be imported: SystemExit: 0"),
        (["here", "--app", "old"], 0, "no history was found"),
        (["bad", "--app", "old:app"], 2, "bad/x.json: this is no JSON"),
    ],
)
async def test_what_cannot_be_checked_is_told(
    shop: Path, arguments: list[str], code: int, told: str
) -> None:
    (shop / "here").mkdir()
    (shop / "bad").mkdir()
    (shop / "bad" / "x.json").write_text("{")
    (shop / "broken.py").write_text("1 / 0\n")
    (shop / "leaves.py").write_text("raise SystemExit(0)\n")
    came, text = await perdure(shop, "check", *arguments)
    assert came == code, text
    assert told in text.replace("\n  ", " "), text
