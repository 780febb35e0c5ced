"""How many files may be open: as many as the user may have, whatever a process begins with."""

import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
soft, hard = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from perdure.app.open_files import allow_open_files
print(allow_open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "told"),
    [(128, 512, "512 512 512"), (512, 512, "512 512 512")],
)
def test_what_the_user_may_have_is_allowed(soft: int, hard: int, told: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(soft), str(hard)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == told
