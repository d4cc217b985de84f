"""`belvedere config check`: reads a configuration file as `serve` would, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import read_config


def check(
    file: Annotated[Path, Parameter(help="the configuration file")] = Path("belvedere.toml"),
    /,
) -> int:
    """Check a configuration file and the profile it names. Raises SettingsError."""
    config = read_config(file)
    axes = " and ".join(axis for axis in ("pan", "tilt") if getattr(config.profile, axis) is not None)
    print(f"{file} is valid: {config.profile.name} ({axes}), video source {config.settings.stage.source}")
    return 0
