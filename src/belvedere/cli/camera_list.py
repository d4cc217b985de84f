"""`belvedere camera list`: which cameras there are, and which mode of each would be chosen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import Settings, read_config
from belvedere.cli.adapter import Json  # noqa: TC001 (cyclopts reads annotations)

DEFAULT_FILE = Path("belvedere.toml")


def camera_list(
    *,
    config: Annotated[
        Path | None,
        Parameter(help="configuration file with the wanted size and rate; default: belvedere.toml if it exists"),
    ] = None,
    json: Json = False,
) -> int:
    """Print the cameras of this computer; returns the exit status. Raises SettingsError."""
    from belvedere.lab.camera_list import as_json, as_text, list_cameras  # noqa: PLC0415 - not needed for help

    path = config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    settings = read_config(path).settings if path is not None else Settings()
    cameras = list_cameras(settings.stage)
    sys.stdout.write((as_json(cameras) if json else as_text(cameras)) + "\n")
    return 0
