"""The life of the server: start, serve until it is told to stop, stop in good order."""

from perdure.app.config import Config


def run(config: Config) -> int:
    """Serve until a signal or a request ends it, and return the exit code. Installs uvloop."""
    raise SystemExit(str(config))
