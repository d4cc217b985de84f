"""`belvedere serve`: runs the server that a configuration file describes."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (cyclopts reads annotations)
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.run import run
from belvedere.app.settings import DEFAULT_FILE, read_config


def serve(*, config: Annotated[Path, Parameter(help="the configuration file")] = DEFAULT_FILE) -> int:
    """Run until a signal ends it; returns the exit status. Raises SettingsError."""

    def announce(link: str) -> None:
        print(f"Belvedere is open: {link}", flush=True)

    return run(read_config(config), announce)
