"""What the doors are told of the process."""

import pytest

from perdure.app.process import (
    METADATA_KEY_BYTES_MAX,
    METADATA_PAIRS_MAX,
    METADATA_VALUE_BYTES_MAX,
    Process,
)
from perdure.app.stopping import Stopping
from perdure.base.errors import CallerFault
from perdure.components.runtime import Runtime


async def made() -> tuple[Process, Stopping]:
    stopping = Stopping()
    return Process(app_id="shop", version="0.1.0", stopping=stopping), stopping


async def test_it_is_a_runtime() -> None:
    process, _ = await made()
    runtime: Runtime = process
    assert (runtime.app_id, runtime.version, runtime.connected_workers()) == ("shop", "0.1.0", 0)


async def test_it_is_ready_between_start_and_stop() -> None:
    process, _ = await made()
    assert process.not_ready_because() == "the server is starting"
    process.started = True
    assert process.not_ready_because() is None
    process.request_shutdown(force=False)
    assert process.not_ready_because() == "the server is stopping"


async def test_force_is_exit_code_1() -> None:
    process, stopping = await made()
    process.request_shutdown(force=True)
    await stopping.hurried.wait()
    assert stopping.exit_code == 1


async def test_metadata_is_bounded() -> None:
    process, _ = await made()
    for number in range(METADATA_PAIRS_MAX):
        process.set_extended_metadata(f"k{number}", "v")
    process.set_extended_metadata("k0", "other")
    assert process.extended_metadata()["k0"] == "other"
    for key, value in (
        ("one too many", ""),
        ("k" * (METADATA_KEY_BYTES_MAX + 1), ""),
        ("k1", "v" * (METADATA_VALUE_BYTES_MAX + 1)),
    ):
        with pytest.raises(CallerFault):
            process.set_extended_metadata(key, value)
    assert len(process.extended_metadata()) == METADATA_PAIRS_MAX
