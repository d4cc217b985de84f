"""A head's profile, read from TOML: its frame layout, and how each axis's unit is found and written."""

from __future__ import annotations

import enum
import itertools
from importlib import resources
from typing import TYPE_CHECKING, Annotated

import msgspec

from belvedere.errors import SettingsError
from belvedere.head.axes import Axis
from belvedere.head.document import read_document
from belvedere.head.layout import FrameLayout
from belvedere.head.patterns import confusing_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_UUID = r"^([0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})\Z"
_ADDRESS = r"^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\Z"

Uuid = Annotated[
    str, msgspec.Meta(pattern=_UUID, max_length=36, description="fff1 or 0000fff1-0000-1000-8000-00805f9b34fb")
]
Address = Annotated[
    str, msgspec.Meta(pattern=_ADDRESS, max_length=36, description="C0:FF:EE:00:00:01, or a UUID on macOS")
]
DegPerS = Annotated[float, msgspec.Meta(ge=0.01, le=3600)]
BLUETOOTH_BASE = "-0000-1000-8000-00805f9b34fb"
SHORT_DIGITS = 4  # of a UUID assigned by the Bluetooth SIG
PLAIN = r"^[^\x00-\x1f\x7f]+\Z"  # no control characters, because it is written to logs and pages
NamePattern = Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=64, description="a name, with * and ? in it")]


class WriteMode(enum.StrEnum):
    """Whether a write waits for the unit's response; `auto` writes without response if the unit allows it."""

    AUTO = "auto"
    WITH_RESPONSE = "with-response"
    WITHOUT_RESPONSE = "without-response"


class UnitProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One axis's unit.

    Attributes:
        name_patterns: shell-style patterns of the unit's advertised name, matched regardless of case.
        address: the unit's Bluetooth address; takes precedence over names.
        service: the UUID of a service that the unit advertises or has, if known.
        characteristic: the UUID of the characteristic that takes commands; discovered if not given.
        notify: the UUID of a characteristic with notifications, if known.
        write: see WriteMode.
        invert: whether positive velocities turn the unit the other way, because of how it is mounted.
        full_speed_deg_per_s: the measured speed of the axis at full speed; None if it was not measured.
    """

    name_patterns: Annotated[tuple[NamePattern, ...], msgspec.Meta(max_length=16)] = ()
    address: Address | None = None
    service: Uuid | None = None
    characteristic: Uuid | None = None
    notify: Uuid | None = None
    write: WriteMode = WriteMode.AUTO
    invert: bool = False
    full_speed_deg_per_s: DegPerS | None = None

    def __post_init__(self) -> None:
        if not (self.name_patterns or self.address or self.service):
            raise ValueError("name_patterns, address or service must be given, to find the unit by")


def confusion(pan: UnitProfile, tilt: UnitProfile) -> str | None:
    """Why a device may match both units, in words; None if they can be told apart."""
    if pan.address is not None and tilt.address is not None:
        is_same = pan.address.upper() == tilt.address.upper()
        return f"pan and tilt both have the address {pan.address}" if is_same else None
    if pan.address is not None or tilt.address is not None:
        return None  # an address matches one device, and that one is excluded for the other unit
    for one, other in itertools.product(pan.name_patterns, tilt.name_patterns):
        name = confusing_name(one, other)
        if name is not None:
            return f'"{one}" of pan and "{other}" of tilt both fit a device called "{name}"'
    is_by_service = not pan.name_patterns and not tilt.name_patterns and pan.service is not None
    if is_by_service and _full(pan.service) == _full(tilt.service):
        return f"pan and tilt both match any device with the service {pan.service}"
    return None


def _full(uuid: str | None) -> str:
    """A UUID in its 128-bit form, in lower case."""
    return (
        f"0000{uuid}{BLUETOOTH_BASE}".lower() if uuid is not None and len(uuid) == SHORT_DIGITS else str(uuid).lower()
    )


class HeadProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A head that is driven by velocity: its display name, its frame layout, and a unit for each axis that it has."""

    name: Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=80)]
    frame: FrameLayout
    pan: UnitProfile | None = None
    tilt: UnitProfile | None = None

    def __post_init__(self) -> None:
        if self.pan is None and self.tilt is None:
            raise ValueError("a head needs a [pan] or a [tilt] unit")

    def unit(self, axis: Axis) -> UnitProfile | None:
        """The unit of this axis, or None if the head does not have this axis."""
        return self.pan if axis is Axis.PAN else self.tilt


def load_profile(text: str, file: str) -> HeadProfile:
    """Parse a profile's TOML text; `file` names it in errors. Raises SettingsError with the key."""
    return read_document(text, HeadProfile, file)


def shipped_profile(name: str) -> HeadProfile:
    """The profile of this name that is shipped with Belvedere. Raises SettingsError if there is none."""
    if name not in shipped_names():
        raise SettingsError("head.profile", "", f"no profile named {name}", ", ".join(shipped_names()))
    text = (resources.files("belvedere.head") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    return load_profile(text, f"{name}.toml")


def shipped_names() -> Iterable[str]:
    """The names of all profiles shipped with Belvedere, sorted."""
    folder = resources.files("belvedere.head") / "profiles"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
