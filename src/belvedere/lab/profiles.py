"""Matches advertising devices against the units of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import HeadProfile, shipped_names, shipped_profile
from belvedere.link.ble import is_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class UnitMatch(msgspec.Struct, frozen=True):
    """A device matches this unit of a profile's head."""

    head: str
    axis: Axis


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
