"""`belvedere config check`: reads a configuration file as `serve` would, and says what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 (cyclopts reads annotations)
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import DEFAULT_FILE, read_config


def check(
    file: Annotated[Path, Parameter(help="the configuration file")] = DEFAULT_FILE,
    /,
) -> int:
    """Check a configuration file and the profile it names. Raises SettingsError."""
    config = read_config(file)
    axes = " and ".join(axis for axis in ("pan", "tilt") if getattr(config.profile, axis) is not None)
    camera = config.settings.camera.__struct_config__.tag
    print(f"{file} is valid: {config.profile.name} ({axes}), camera {camera}")
    for warning in config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0
