"""The settings file, `belvedere.toml`: every key with its default. It is read once, at the start."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from belvedere.control.options import ControlOptions
from belvedere.errors import SettingsError
from belvedere.gateway.dependencies import GatewayOptions
from belvedere.guardian.options import GuardianOptions
from belvedere.head.axes import AXES, Axis
from belvedere.head.document import read_document
from belvedere.head.profile import (
    PLAIN,
    Address,
    DegPerS,
    HeadProfile,
    NamePattern,
    UnitProfile,
    Uuid,
    WriteMode,
    confusion,
    load_profile,
    shipped_profile,
)
from belvedere.link.options import AdapterName, LinkOptions
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from belvedere.control.options import AxisLimits


PLAIN_OR_NONE = r"^[^\x00-\x1f\x7f]*\Z"


class Reach(enum.StrEnum):
    """How units are reached: by Bluetooth, by virtual Bluetooth to simulated units, or not at all."""

    BLUETOOTH = "bluetooth"
    VIRTUAL = "virtual"
    NONE = "none"


class UnitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs from the profile for one unit; None: as in the profile."""

    name_patterns: Annotated[tuple[NamePattern, ...], msgspec.Meta(max_length=16)] | None = None
    address: Address | None = None
    service: Uuid | None = None
    characteristic: Uuid | None = None
    notify: Uuid | None = None
    write: WriteMode | None = None
    invert: bool | None = None
    full_speed_deg_per_s: DegPerS | None = None


class HeadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which head, and how it is reached.

    Attributes:
        profile: the name of a shipped profile, or the path of a TOML file, relative to the settings file.
        reach: see Reach.
        adapter: which Bluetooth adapter, if there are several: `hci1`, or its address, because numbers change.
        pan, tilt: what differs from the profile.
    """

    profile: Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=1024)] = "zeapon-pons-pt"
    reach: Reach = Reach.BLUETOOTH
    adapter: AdapterName | None = None
    pan: UnitSettings = UnitSettings()
    tilt: UnitSettings = UnitSettings()


class StageSettings(StageOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The picture, and its source: `sim` is the simulated room, `test` a moving pattern."""

    source: Literal["sim", "test"] = "test"
    time_bar: bool = False  # draw a machine-readable clock into the picture, for measurements


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to save what survives a restart.

    Attributes:
        file: relative to systemd's state directory if there is one, else to the settings file; "" saves nothing.
    """

    file: Annotated[str, msgspec.Meta(pattern=PLAIN_OR_NONE, max_length=1024)] = "belvedere.sqlite3"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `belvedere.toml`; every table may be left out."""

    server: GatewayOptions = GatewayOptions()
    head: HeadSettings = HeadSettings()
    link: LinkOptions = LinkOptions()
    control: ControlOptions = ControlOptions()
    guardian: GuardianOptions = GuardianOptions()
    stage: StageSettings = StageSettings()
    store: StoreSettings = StoreSettings()


class Config(msgspec.Struct, frozen=True):
    """Settings and the head's profile, checked against each other, and the path of the store's file, if any."""

    settings: Settings
    profile: HeadProfile
    store: Path | None = None


DEMO = Settings(
    head=HeadSettings(
        reach=Reach.VIRTUAL,
        pan=UnitSettings(full_speed_deg_per_s=40.0),
        tilt=UnitSettings(full_speed_deg_per_s=20.0),
    ),
    control=msgspec.convert({"tilt": {"min_deg": -25, "max_deg": 25}}, ControlOptions),
    stage=StageSettings(source="sim"),
    store=StoreSettings(file=""),
)
"""The settings of `belvedere demo`: everything is real except the head and the room."""


def read_config(path: Path) -> Config:
    """Read a settings file and the profile it names. Raises SettingsError with file, key and allowed values."""
    settings = read_document(_text_of(path, ""), Settings, str(path))
    return resolve(settings, str(path), path.parent)


def resolve(settings: Settings, file: str = "belvedere.toml", folder: Path = Path()) -> Config:
    """Load the profile of the settings, apply their unit settings to it, and check both. Raises SettingsError."""
    profile = _merged(_profile(settings.head.profile, file, folder), settings.head, file)
    for axis in AXES:
        limits: AxisLimits = getattr(settings.control, axis)
        unit = profile.unit(axis)
        if limits.is_limited and (unit is None or unit.full_speed_deg_per_s is None):
            wanted = f"head.{axis}.full_speed_deg_per_s"
            raise SettingsError(file, f"control.{axis}", f"limits in degrees need {wanted}, which you measure once")
    state_folder = Path(os.environ.get("STATE_DIRECTORY", folder))
    return Config(settings, profile, state_folder / settings.store.file if settings.store.file else None)


def _profile(name: str, file: str, folder: Path) -> HeadProfile:
    if not name.endswith(".toml"):
        try:
            return shipped_profile(name)
        except SettingsError as error:
            raise SettingsError(file, "head.profile", error.problem, f"{error.allowed}, or a file.toml") from error
    path = folder / name
    return load_profile(_text_of(path, "the profile that head.profile names: "), str(path))


def _text_of(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), "", f"{what}cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), "", f"{what}is not UTF-8 text") from error


def _merged(profile: HeadProfile, head: HeadSettings, file: str) -> HeadProfile:
    """Apply the unit settings to the profile. Raises SettingsError if a device could be both units."""
    units: dict[str, UnitProfile | None] = {}
    for axis, own in ((Axis.PAN, head.pan), (Axis.TILT, head.tilt)):
        unit = profile.unit(axis)
        given = {name: value for name, value in msgspec.structs.asdict(own).items() if value is not None}
        try:
            units[axis.value] = unit and msgspec.structs.replace(unit, **given)
        except ValueError as error:
            raise SettingsError(file, f"head.{axis}", str(error)) from error
    pan, tilt = units[Axis.PAN], units[Axis.TILT]
    why = confusion(pan, tilt) if pan is not None and tilt is not None else None
    if why is not None:
        fix = "give [head.pan] and [head.tilt] the address of their unit, as `belvedere scan` shows them"
        raise SettingsError(file, "head", f"pan and tilt could connect to each other's unit: {why}: {fix}")
    return msgspec.structs.replace(profile, **units)
