"""An address that is none ends the start with the flag that has it."""

from dataclasses import replace
from pathlib import Path

import pytest

from perdure.base.errors import ConfigurationError
from perdure.bridge.cluster import connected
from tests.kit.cluster import Cluster


@pytest.mark.parametrize(
    ("hostport", "complaint"),
    [
        ("two words:7233", "--temporal two words:7233: invalid target URL"),
        ("127.0.0.1:1", "--temporal 127.0.0.1:1: no Temporal cluster answers there: "),
    ],
)
async def test_where_no_cluster_can_be_is_told(
    tmp_path: Path, hostport: str, complaint: str
) -> None:
    settings = replace(Cluster(tmp_path).settings(), hostport=hostport)
    with pytest.raises(ConfigurationError) as caught:
        await connected(settings)
    assert str(caught.value).startswith(complaint)
