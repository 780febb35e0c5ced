"""Makes src/perdure/wire/generated from our own .proto files, or checks that it is up to date.

The generator names modules after the proto's folder (`from perdure.wire import x_pb2`). They live
one package deeper, so that nobody takes them for a room of the house, and the names are rewritten
to match. The names of the messages stay as they are in the .proto.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO_ROOT = ROOT / "src/perdure/wire/proto"
PROTO_FOLDER = PROTO_ROOT / "perdure/wire"
GENERATED = ROOT / "src/perdure/wire/generated"

# An import of another generated module, or the name a module gives to its message classes.
_OWN_MODULE = re.compile(r"(^from |')perdure\.wire(?= import |\.\w+_pb2\b)", re.MULTILINE)


def _generate() -> dict[str, str]:
    """What the folder of generated modules must hold: file name to text."""
    protos = sorted(PROTO_FOLDER.glob("*.proto"))
    if not protos:
        sys.exit(f"generate: no .proto file in {PROTO_FOLDER.relative_to(ROOT)}")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc"),
                *(f"--proto_path={PROTO_ROOT}", f"--python_out={scratch}", f"--pyi_out={scratch}"),
                *map(str, protos),
            ],
            check=True,
        )
        made = sorted(Path(scratch, "perdure/wire").glob("*_pb2.py*"))
        assert len(made) == 2 * len(protos), "every .proto gives a module and its stub"
        return {
            path.name: _OWN_MODULE.sub(r"\1perdure.wire.generated", path.read_text("utf-8"))
            for path in made
        }


def _present() -> dict[str, str]:
    """What the folder of generated modules holds now."""
    return {path.name: path.read_text("utf-8") for path in sorted(GENERATED.glob("*_pb2.py*"))}


def _write(wanted: dict[str, str]) -> None:
    """Writes what is wanted, and removes modules whose .proto is gone."""
    for name in _present().keys() - wanted.keys():
        (GENERATED / name).unlink()
    for name, text in wanted.items():
        (GENERATED / name).write_text(text, "utf-8")


def _check(wanted: dict[str, str]) -> None:
    """Exits with 1 and the names of the files that differ, if there are any."""
    present = _present()
    stale = sorted(
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    )
    if stale:
        sys.exit("generate: not up to date, run `make generate`: " + ", ".join(stale))


def main() -> None:
    """Generates, or with `--check` only compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    wanted = _generate()
    if parser.parse_args().check:
        _check(wanted)
    else:
        _write(wanted)


if __name__ == "__main__":
    main()
