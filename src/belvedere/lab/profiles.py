"""Reads profiles by name or file, and matches advertising devices against their units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import SettingsError
from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import HeadProfile, load_profile, shipped_names, shipped_profile
from belvedere.link.ble import is_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class UnitMatch(msgspec.Struct, frozen=True):
    """A device matches this unit of a profile's head."""

    head: str
    axis: Axis


def read_profile(name: str) -> HeadProfile:
    """The shipped profile of this name, or the one in a .toml file. Raises SettingsError."""
    if not name.endswith(".toml"):
        try:
            return shipped_profile(name)
        except SettingsError as error:
            raise SettingsError("--profile", "", error.problem, f"{error.allowed}, or a .toml file") from error
    return load_profile(read_text(Path(name)), name)


def read_profile_file(path: Path) -> HeadProfile:
    """The profile in the owner's own file, never a shipped one: it will be written to. Raises SettingsError."""
    return load_profile(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), "", "is not UTF-8 text") from error


def shipped_profiles() -> list[HeadProfile]:
    """All shipped profiles."""
    return [shipped_profile(name) for name in shipped_names()]


def find_matches(
    profiles: Iterable[HeadProfile], address: str, name: str, services: Sequence[str]
) -> tuple[UnitMatch, ...]:
    """The units that a device matches, by its address, name and advertised services."""
    units = ((profile, axis, profile.unit(axis)) for profile in profiles for axis in AXES)
    found = (
        UnitMatch(profile.name, axis)
        for profile, axis, unit in units
        if unit and is_unit(unit, address, name, services)
    )
    return tuple(dict.fromkeys(found))
