"""`belvedere config check`: reads a configuration file as `serve` would, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import read_house


def check(
    file: Annotated[Path, Parameter(help="the configuration file")] = Path("belvedere.toml"),
    /,
) -> int:
    """Check a configuration file and the profile it names. Raises SettingsError."""
    house = read_house(file)
    axes = " and ".join(axis for axis in ("pan", "tilt") if getattr(house.profile, axis) is not None)
    print(f"{file} is valid: {house.profile.name} ({axes}), video source {house.settings.stage.source}")
    return 0
