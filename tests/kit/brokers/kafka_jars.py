"""Apache Kafka's own jars, resolved by Maven once and kept beside the sources."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = REPOSITORY / ".venvs" / "kafka"
RESOLVE_DEADLINE_S = 400
# Any will do: a cluster of one knows no other.
CLUSTER_ID = "cGVyZHVyZS1pbi1hLXRlc3Q"
_PROJECT = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>perdure.tests</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>4.1.0</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


def ensure() -> Path:
    """Return the folder with the jars; resolves them first where they are not there."""
    FOLDER.parent.mkdir(exist_ok=True)
    stamp = FOLDER / "stamp"
    wanted = hashlib.sha256(_PROJECT.encode()).hexdigest()
    with (FOLDER.parent / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(FOLDER, ignore_errors=True)
            FOLDER.mkdir()
            (FOLDER / "pom.xml").write_text(_PROJECT)
            _resolve()
            stamp.write_text(wanted)
    return FOLDER / "jars"


def _resolve() -> None:
    resolved = subprocess.run(
        [
            *("mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", "-DoutputDirectory=jars"),
        ],
        cwd=FOLDER,
        check=False,
        capture_output=True,
        text=True,
        timeout=RESOLVE_DEADLINE_S,
    )
    assert resolved.returncode == 0, resolved.stdout + resolved.stderr


def java(folder: Path) -> list[str]:
    """Return how a class of Kafka is run, with little memory and a quick start."""
    return [
        *("java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"),
        *("-Dorg.slf4j.simpleLogger.defaultLogLevel=info", f"-Djava.io.tmpdir={folder}"),
        *("-cp", f"{ensure()}/*"),
    ]
