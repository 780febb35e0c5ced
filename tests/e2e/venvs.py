"""Virtual environments that hold one released SDK each, made once and kept beside the sources.

An SDK is installed exactly as its users install it. Two of them cannot share an environment: the
Dapr and the Microsoft package register the same protobuf symbols, and the generations of the Dapr
package overwrite each other's files.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = REPOSITORY / ".venvs"
INSTALL_DEADLINE_S = 240


@dataclass(frozen=True, slots=True)
class Environment:
    """One SDK: the name of its environment and what pip is told to install."""

    name: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return ENVIRONMENTS / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> str:
        """What the environment was made of; another stamp means another environment."""
        text = "\n".join((sys.version, *self.requirements))
        return hashlib.sha256(text.encode()).hexdigest()


DAPR_1_17 = Environment(
    "dapr-1.17", ("dapr==1.17.5", "dapr-ext-workflow==1.17.5", "durabletask-dapr==0.17.4")
)
# Both pinned: left alone, pip takes the extension of 1.18 and the core of 1.19, whose files clash.
DAPR_1_18 = Environment("dapr-1.18.3", ("dapr==1.18.3", "dapr-ext-workflow==1.18.3"))
# From 1.19 the workflow extension is part of the core package.
DAPR_1_19 = Environment("dapr-1.19", ("dapr==1.19.0",))
DURABLETASK_1_12 = Environment("durabletask-1.12", ("durabletask==1.12.0",))
# The module that takes the SDK's place: it is in the environment that runs the tests.
PERDURE = Environment("perdure", ())

ALL = {
    environment.name: environment
    for environment in (DAPR_1_17, DAPR_1_18, DAPR_1_19, DURABLETASK_1_12)
}


def ensure(environment: Environment) -> Path:
    """Return the Python of the environment, making the environment first if it is not there.

    Safe to call from several processes at once: one makes it, the others wait and find it.
    """
    if environment is PERDURE:
        return Path(sys.executable)
    ENVIRONMENTS.mkdir(exist_ok=True)
    with _locked(ENVIRONMENTS / f"{environment.name}.lock"):
        stamp = environment.folder / "perdure-stamp"
        # The stamp is written last, so an environment whose making was interrupted has none.
        if not stamp.is_file() or stamp.read_text() != environment.stamp:
            _make(environment)
            stamp.write_text(environment.stamp)
    return environment.python


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(environment: Environment) -> None:
    shutil.rmtree(environment.folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(environment.folder))
    pip = (str(environment.python), "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "install", *environment.requirements)


def _run(*command: str) -> None:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=INSTALL_DEADLINE_S
    )
    if done.returncode != 0:
        words = " ".join(command)
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    # `python -m tests.e2e.venvs NAME…` makes environments ahead of time; without names, all.
    for name in sys.argv[1:] or ALL:
        ensure(ALL[name])
