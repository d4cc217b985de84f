"""The settings file, `belvedere.toml`: every key with its default. It is read once, at the start.

Each package owns the options that it needs; here are those that choose among packages. docs/reference/settings.md is
written from the docstrings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from belvedere.access.invitations import AccessOptions
from belvedere.access.programs import TokenFile, check_token
from belvedere.app.secret_files import secret_files_for
from belvedere.app.settings_document import VERSION, read_settings_table
from belvedere.control.options import ControlOptions, ParkPosition
from belvedere.errors import SettingsError
from belvedere.gateway.listed_rooms import Rooms, check_rooms
from belvedere.gateway.options import GatewayOptions
from belvedere.guardian.options import GuardianOptions
from belvedere.head.axes import AXES, Axis
from belvedere.head.document import read_table
from belvedere.head.frames import stop_frame
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
)
from belvedere.link.options import AdapterName, LinkOptions
from belvedere.profile_files import read_profile, read_text
from belvedere.room.signal_outputs import Output
from belvedere.stage.options import PasswordFile, StageOptions, Way
from belvedere.stage.sources.program import split_command
from belvedere.stage.sources.rtsp import Transport, check_rtsp_login
from belvedere.stage.sources.v4l2.negotiation import PixelFormat
from belvedere.stage.voice.options import VoiceOptions

if TYPE_CHECKING:
    from belvedere.app.secret_files import SecretFiles
    from belvedere.control.options import AxisLimits


DEFAULT_FILE = Path("belvedere.toml")
PLAIN_OR_NONE = r"^[^\x00-\x1f\x7f]*\Z"
CommandWord = Annotated[str, msgspec.Meta(max_length=1024)]
CommandLine = Annotated[str, msgspec.Meta(max_length=4096)]
RtspUrl = Annotated[
    str, msgspec.Meta(pattern=r"^rtsp://[\x21-\x7e]+\Z", max_length=1024, description="rtsp://host:port/path")
]
CameraLogin = Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]+\Z", max_length=128)]


class UnitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs from the profile for one unit; what is not given is as in the profile.

    Attributes:
        name_patterns: shell-style patterns of the unit's advertised name, matched regardless of case.
        address: the unit's Bluetooth address, as `belvedere scan` shows it; takes precedence over names.
        service: the UUID of a service that the unit advertises or has.
        characteristic: the UUID of the characteristic that takes commands.
        notify: the UUID of a characteristic with notifications.
        write: whether a write waits for the unit's response; `auto` writes without response if the unit allows it.
        invert: true if the unit is mounted so that it turns the other way.
        full_speed_deg_per_s: how fast the unit turns at full speed, measured once; limits of travel need it.
    """

    name_patterns: Annotated[tuple[NamePattern, ...], msgspec.Meta(max_length=16)] | None = None
    address: Address | None = None
    service: Uuid | None = None
    characteristic: Uuid | None = None
    notify: Uuid | None = None
    write: WriteMode | None = None
    invert: bool | None = None
    full_speed_deg_per_s: DegPerS | None = None


class HeadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind of head has.

    Attributes:
        profile: the name of a shipped profile, or the path of a TOML file, relative to the settings file.
        pan, tilt: what differs from the profile.
    """

    is_virtual: ClassVar[bool] = False

    profile: Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=1024)] = "zeapon-pons-pt"
    pan: UnitSettings = UnitSettings()
    tilt: UnitSettings = UnitSettings()


class BluetoothHeadSettings(HeadSettings, frozen=True, kw_only=True, tag="bluetooth"):
    """A head whose units are reached by Bluetooth LE.

    Attributes:
        adapter: which Bluetooth adapter, if there are several: `hci1`, or its address, because numbers change.
    """

    adapter: AdapterName | None = None


class VirtualHeadSettings(HeadSettings, frozen=True, kw_only=True, tag="virtual"):
    """Simulated units behind virtual Bluetooth, for trying Belvedere out."""

    is_virtual: ClassVar[bool] = True


class NoHeadSettings(HeadSettings, frozen=True, kw_only=True, tag="none"):
    """No head: a picture that nobody can turn."""


Head = BluetoothHeadSettings | VirtualHeadSettings | NoHeadSettings


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind of camera has."""

    is_virtual: ClassVar[bool] = False


class PatternCameraSettings(CameraSettings, frozen=True, kw_only=True, tag="pattern"):
    """No camera: a moving test pattern."""

    is_virtual: ClassVar[bool] = True


class RoomCameraSettings(CameraSettings, frozen=True, kw_only=True, tag="room"):
    """No camera: a drawn room, which moves with a virtual head.

    Attributes:
        time_bar: draw a machine-readable clock into the picture, for measurements.
    """

    is_virtual: ClassVar[bool] = True

    time_bar: bool = False


class FileCameraSettings(CameraSettings, frozen=True, kw_only=True, tag="file"):
    """A video file, again and again.

    Attributes:
        path: any file that FFmpeg reads, relative to the settings file.
    """

    path: Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=1024)]


class RtspCameraSettings(CameraSettings, frozen=True, kw_only=True, tag="rtsp"):
    """An IP camera.

    Attributes:
        url: its address, such as `rtsp://camera.local:554/stream1`, without user name and password.
        username: what the camera's login asks for, if it asks.
        password: likewise; the settings name the file that contains it.
        encode_anew: true if H.264 is to be decoded and encoded anew, so that size and bitrate are those of `[stage]`
            and follow the network. Otherwise H.264 that browsers take is passed on as it comes, which costs no
            processor time.
        transport: `tcp` loses nothing; `udp` is for cameras that have no other.
        trust_clock: true if the camera and this computer are set by the same time server. Then a picture is as old as
            the camera says (by RTCP); otherwise its age counts from its arrival.
    """

    url: RtspUrl
    username: CameraLogin | None = None
    password: PasswordFile | None = msgspec.field(default=None, name="password_file")
    encode_anew: bool = False
    transport: Transport = Transport.TCP
    trust_clock: bool = False

    def __post_init__(self) -> None:
        check_rtsp_login(self.url, self.username, self.password)


class ProcessCameraSettings(CameraSettings, frozen=True, kw_only=True, tag="process"):
    """A program that writes MJPEG or H.264 (Annex B) to its standard output, such as gphoto2 or rpicam-vid.

    Attributes:
        command: program and arguments, as a list, or as a text that is split as a shell would; no shell runs it.
        encode_anew: as for an IP camera.
    """

    command: CommandLine | Annotated[tuple[CommandWord, ...], msgspec.Meta(max_length=256)]
    encode_anew: bool = False

    def __post_init__(self) -> None:
        try:
            split_command(self.command)
        except ValueError as error:
            raise ValueError(f"command: {error}") from error


ControlName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]+\Z", max_length=64)]
ControlNumber = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
MenuItem = Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=64)]
Controls = Annotated[
    dict[ControlName, bool | ControlNumber | MenuItem],
    msgspec.Meta(max_length=64, description="what `belvedere camera list` shows for each control"),
]


class V4l2CameraSettings(CameraSettings, frozen=True, kw_only=True, tag="v4l2"):
    """A webcam, or an HDMI capture stick with a camera behind it: whatever Linux lists as a video device.

    Size and rate are those of `[stage]` if the camera can do that, else the nearest. It is on only while somebody
    watches.

    Attributes:
        device: a path such as `/dev/v4l/by-id/usb-...-video-index0`, which stays the same while numbers change, or a
            pattern of the card's name, such as `*HDMI*`. `belvedere camera list` shows both.
        format: the only format to use; without it, the one with the lowest latency for size and rate. `h264` is passed
            on as the camera encodes it.
        input: the number of the input, where a device has several; without it, the one that is set.
        controls: the camera's own controls, by the names that `belvedere camera list` shows:
            `{ power_line_frequency = "50 Hz", focus_automatic_continuous = false }`. Set each time it is turned on.
    """

    device: Annotated[str, msgspec.Meta(pattern=PLAIN, max_length=1024)] = "*"
    format: PixelFormat | None = None
    input: Annotated[int, msgspec.Meta(ge=0, le=63)] | None = None
    controls: Controls = {}


class WhipCameraSettings(CameraSettings, frozen=True, kw_only=True, tag="whip"):
    """Another program publishes the picture to us by WHIP, such as OBS; see docs/how-to/publish-from-obs.md.

    Attributes:
        token: the settings name the file that contains it; the program sends it as `Authorization: Bearer`.
    """

    token: TokenFile = msgspec.field(name="token_file")

    def __post_init__(self) -> None:
        check_token(self.token)


Camera = (
    PatternCameraSettings
    | RoomCameraSettings
    | V4l2CameraSettings
    | RtspCameraSettings
    | ProcessCameraSettings
    | FileCameraSettings
    | WhipCameraSettings
)
"""Every kind of camera; `app.build.picture_source` makes the source of each."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to save what survives a restart.

    Attributes:
        file: relative to systemd's state directory if there is one, else to the settings file; "" saves nothing.
    """

    file: Annotated[str, msgspec.Meta(pattern=PLAIN_OR_NONE, max_length=1024)] = "belvedere.sqlite3"


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the room may do for its privacy, is told of its visitors, and keeps.

    Attributes:
        ask_first: whether people have to knock, unless the room has said otherwise about them.
        park: where the head turns when the curtain closes; it needs `full_speed_deg_per_s` of each axis that it names.
            Without it the head stays where it is.
        keep_visits_days: how long the visit book keeps a visit; 0 keeps no book.
        chime: rings when somebody comes, and when somebody knocks.
        light: is on while anybody looks.
    """

    ask_first: bool = False
    park: ParkPosition | None = None
    keep_visits_days: Annotated[int, msgspec.Meta(ge=0, le=366)] = 30
    chime: Output | None = None
    light: Output | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `belvedere.toml`; every table and key may be left out, and so may a table's `kind`.

    Attributes:
        version: which version of these settings the file is written for.
        rooms: the rooms that `/rooms` lists, the same in the settings of each; see docs/how-to/several-rooms.md.
    """

    version: Annotated[int, msgspec.Meta(ge=VERSION, le=VERSION)] = VERSION
    server: GatewayOptions = GatewayOptions()
    access: AccessOptions = AccessOptions()
    head: Head = BluetoothHeadSettings()
    link: LinkOptions = LinkOptions()
    control: ControlOptions = ControlOptions()
    guardian: GuardianOptions = GuardianOptions()
    camera: Camera = PatternCameraSettings()
    stage: StageOptions = StageOptions()
    store: StoreSettings = StoreSettings()
    voice: VoiceOptions = VoiceOptions()
    room: RoomSettings = RoomSettings()
    rooms: Rooms = ()

    def __post_init__(self) -> None:
        """Raise ValueError where one token would have two meanings, or two rooms one name."""
        check_rooms(self.rooms)
        tokens = {player.token for player in self.access.players}
        if isinstance(self.camera, WhipCameraSettings) and self.camera.token in tokens:
            raise ValueError("a player has the token of the program that publishes the picture")


class Config(msgspec.Struct, frozen=True):
    """Settings and the head's profile, checked against each other.

    Attributes:
        store: the path of the store's file, if any.
        warnings: what the owner should know about a settings file that is valid all the same, one line each.
    """

    settings: Settings
    profile: HeadProfile
    store: Path | None = None
    warnings: tuple[str, ...] = ()


DEMO = Settings(
    head=VirtualHeadSettings(
        pan=UnitSettings(full_speed_deg_per_s=40.0),
        tilt=UnitSettings(full_speed_deg_per_s=20.0),
    ),
    control=msgspec.convert({"tilt": {"min_deg": -25, "max_deg": 25}}, ControlOptions),
    camera=RoomCameraSettings(),
    store=StoreSettings(file=""),
)
"""The settings of `belvedere demo`: everything is real except the head and the room."""


def read_settings_text(path: Path) -> str:
    """The text of a settings file. Raises SettingsError; where it is only the default, with what to do."""
    if path == DEFAULT_FILE and not path.exists():
        raise SettingsError(str(path), "", "is not in this folder: give the path of your settings file")
    return read_text(path)


def read_config(path: Path) -> Config:
    """Read a settings file, and the profile and secrets it names. Virtual parts in it are warned of.

    Raises SettingsError with file, key and allowed values.
    """
    text = read_settings_text(path)
    secrets = secret_files_for(path)
    settings = parse_settings(text, str(path), secrets)
    config = resolve(settings, str(path), path.parent)
    warnings = *_virtual_parts(settings), *_unproven_stop(config), *secrets.warnings
    return msgspec.structs.replace(config, warnings=warnings)


def read_config_or_defaults(path: Path | None) -> Config:
    """Read a settings file; without a path, `DEFAULT_FILE` if it exists, and else take the defaults.

    Raises SettingsError, as `read_config` does.
    """
    file = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    return read_config(file) if file is not None else resolve(Settings())


def parse_settings(text: str, file: str, secrets: SecretFiles) -> Settings:
    """Parse the text of a settings file; `file` names it in errors. Raises SettingsError."""
    return read_table(read_settings_table(text, file, Settings), Settings, file, secrets.decode)


def _virtual_parts(settings: Settings) -> list[str]:
    """One line that names all parts that are virtual, or none."""
    parts = {"camera": settings.camera, "head": settings.head}
    virtual = [f'[{name}] kind = "{part.__struct_config__.tag}"' for name, part in parts.items() if part.is_virtual]
    return [f"these parts are virtual, for trying Belvedere out only: {' and '.join(virtual)}"] if virtual else []


def _unproven_stop(config: Config) -> list[str]:
    """One line if nobody knows whether the stop works, or none."""
    if config.profile.frame.stop_is_proven or config.settings.head.is_virtual:
        return []
    stop = stop_frame(config.profile.frame).hex(" ")
    what = f"the stop of {config.profile.name}, {stop}, is unproven: the head may not stop"
    return [f"{what}. Stay beside it, and prove the stop with `belvedere probe`"]


def resolve(settings: Settings, file: str = str(DEFAULT_FILE), folder: Path = Path()) -> Config:
    """Load the profile of the settings, apply their unit settings to it, and check both. Raises SettingsError."""
    profile = _merged(read_profile(settings.head.profile, file, "head.profile", folder), settings.head, file)
    for axis in AXES:
        limits: AxisLimits = getattr(settings.control, axis)
        unit = profile.unit(axis)
        if limits.is_limited and (unit is None or unit.full_speed_deg_per_s is None):
            wanted = f"head.{axis}.full_speed_deg_per_s"
            raise SettingsError(file, f"control.{axis}", f"limits in degrees need {wanted}, which you measure once")
    _check_parking(settings, profile, file)
    if Way.IVS in settings.stage.ways and not settings.store.file:
        problem = 'cannot have "ivs" without a store: whom a restart must put out is saved there'
        raise SettingsError(file, "stage.ways", problem)
    if isinstance(settings.camera, FileCameraSettings):
        camera = msgspec.structs.replace(settings.camera, path=str(folder / settings.camera.path))
        settings = msgspec.structs.replace(settings, camera=camera)
    return Config(settings, profile, store_path(settings.store.file, folder))


def store_path(file: str, folder: Path) -> Path | None:
    """Where the store is whose name the settings in this folder give; None if they name none."""
    return Path(os.environ.get("STATE_DIRECTORY", folder)) / file if file else None


def _check_parking(settings: Settings, profile: HeadProfile, file: str) -> None:
    """Raise SettingsError for a parking position that the head could never reach."""
    for axis, deg in (settings.room.park.by_axis() if settings.room.park is not None else {}).items():
        unit, limits = profile.unit(axis), getattr(settings.control, axis)
        if unit is None or unit.full_speed_deg_per_s is None:
            wanted = f"head.{axis}.full_speed_deg_per_s"
            raise SettingsError(file, f"room.park.{axis}_deg", f"degrees need {wanted}, which you measure once")
        if not limits.contains(deg):
            raise SettingsError(file, f"room.park.{axis}_deg", f"{deg:g} is beyond the limits of control.{axis}")


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
