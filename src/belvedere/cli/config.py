"""`belvedere config check`: reads the owner's file as `serve` would, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from belvedere.app.settings import read_house


def check(file: Path = Path("belvedere.toml"), /) -> int:
    """Check the owner's file, and the profile that it names."""
    house = read_house(file)
    axes = " and ".join(axis for axis in ("pan", "tilt") if getattr(house.profile, axis) is not None)
    print(f"{file} is good: {house.profile.name} ({axes}), picture from {house.settings.stage.source}")
    return 0
