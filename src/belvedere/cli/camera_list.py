"""`belvedere camera list`: which cameras there are, and which mode of each would be chosen."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 (cyclopts reads annotations)
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import read_config_or_defaults
from belvedere.cli.parameters import Json  # noqa: TC001 (cyclopts reads annotations)


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

    cameras = list_cameras(read_config_or_defaults(config).settings.stage)
    sys.stdout.write((as_json(cameras) if json else as_text(cameras)) + "\n")
    return 0
