"""The arguments that the `trigger` programs share."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[
    str, typer.Argument(metavar="TRIGGER", help="The trigger's name.", show_default=False)
]
Names = Annotated[
    list[str], typer.Argument(metavar="TRIGGER", help="One name, or more.", show_default=False)
]
Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Ids of dead letters.", show_default=False),
]
Key = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a dead letter.", show_default=False)
]
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="YAML file with one WorkflowTrigger, or more.", show_default=False
    ),
]
AppId = Annotated[str, typer.Option("--app-id", metavar="NAME", help="The app it is for.")]
IdBytes = Annotated[
    int,
    typer.Option("--instance-id-max-bytes", metavar="BYTES", help="As the server is told.", min=28),
]
