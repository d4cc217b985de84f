"""The composition of the program, on one page: every part is created and connected here."""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from belvedere.access.cloudflare import CloudflareSessions
from belvedere.access.invitations import Invitations
from belvedere.access.passkeys import Passkeys
from belvedere.access.programs import Programs, player_session, publisher_session
from belvedere.access.script_tokens import ScriptTokens
from belvedere.app.access_recorder import AccessRecorder
from belvedere.app.event_log import EventLog
from belvedere.app.ivs_parts import IvsParts, ivs_parts
from belvedere.app.position_recorder import PositionRecorder
from belvedere.app.room_watch import RoomWatch
from belvedere.app.settings import (
    BluetoothHeadSettings,
    Config,
    FileCameraSettings,
    NoHeadSettings,
    PatternCameraSettings,
    ProcessCameraSettings,
    RoomCameraSettings,
    RtspCameraSettings,
    V4l2CameraSettings,
    VirtualHeadSettings,
    WhipCameraSettings,
)
from belvedere.app.unit_guard import BEATS_PER_DEAD_MAN, UnitGuard
from belvedere.control.core import Control
from belvedere.control.motion import AxisSetup
from belvedere.engine.bus import Bus
from belvedere.engine.engine import Engine
from belvedere.engine.parking import Parking
from belvedere.events import EventStream
from belvedere.gateway.cloudflare_gate import CloudflareGate
from belvedere.gateway.dependencies import Dependencies, save_nothing
from belvedere.guardian.process import GuardianProcess
from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame
from belvedere.link.disabled import DisabledUnit
from belvedere.link.supervisor import UnitSupervisor
from belvedere.privacy.core import Privacy
from belvedere.privacy.words import TalkMode
from belvedere.room.room_store import NoRoomStore, RoomStore
from belvedere.room.runtime import TOPIC, RoomRuntime
from belvedere.room.voice_runtime import VoiceRuntime
from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.direct.whip import Whip
from belvedere.stage.ivs.page_reaches import page_reaches
from belvedere.stage.sources.file import FileSource
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.sources.program import ProgramSource, split_command
from belvedere.stage.sources.published import Publication, PublishedSource
from belvedere.stage.sources.rtsp import RtspSource
from belvedere.stage.sources.v4l2.setup import V4l2Camera
from belvedere.stage.sources.v4l2.source import V4l2Source
from belvedere.stage.stage import Stage
from belvedere.stage.stills import StillTaker
from belvedere.stage.stream.stream_way import Stream
from belvedere.stage.voice.hardware import SoundServerHardware
from belvedere.stage.voice.voice import Voice
from belvedere.store.database import Database
from belvedere.store.positions import ORIGIN, SavedPositions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from belvedere.access.signing_keys import SigningKeys
    from belvedere.app.systemd_notify import Notifier
    from belvedere.control.options import AxisLimits
    from belvedere.gateway.authentication import Authenticator
    from belvedere.head.profile import UnitProfile
    from belvedere.link.port import UnitLink
    from belvedere.sim.head import VirtualHead
    from belvedere.stage.sources.source import VideoSource


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Belvedere:
    """All parts of the program.

    Without a store there is no database or recorder; with a real head no virtual one; `whip` is there if a program
    publishes the picture, `signing_keys` if everybody comes in through Cloudflare Access, `sound` if the
    settings want any, `ivs` if pages may watch through Amazon IVS.
    """

    engine: Engine
    parking: Parking
    units: dict[Axis, UnitSupervisor]
    stage: Stage
    invitations: Invitations
    room: RoomRuntime
    voice: VoiceRuntime
    sound: Voice | None
    dependencies: Dependencies
    database: Database | None
    position_recorder: PositionRecorder | None
    access_recorder: AccessRecorder | None
    virtual_head: VirtualHead | None
    guard: UnitGuard
    whip: Whip | None
    signing_keys: SigningKeys | None
    room_watch: RoomWatch
    ivs: IvsParts | None


def build(config: Config, clock: Callable[[], float], notifier: Notifier) -> Belvedere:
    """Create all parts. Only the database is opened; nothing else is started, and no heavy library is imported."""
    settings, profile = config.settings, config.profile
    bus, events = Bus(), EventStream()
    events.subscribe(EventLog().receive)
    database, positions = _database(config)
    control = Control(settings.control, {axis: _setup(config, axis, positions) for axis in AXES})
    guard = _guard(config, clock, notifier)
    engine = _engine(control, guard, bus, events, clock)
    parking = _parking(config, engine, clock, events)
    virtual_head = _virtual_head(config)
    units = _units(config, virtual_head, engine, guard, clock)
    guard.attach(engine, units)
    network = ViewerNetwork.of(settings.stage, clock)
    whip = _whip(config, network, events, clock)
    source, announce = picture_source(config, virtual_head, whip), functools.partial(bus.publish, "stage")
    invitations = Invitations(clock, settings.access, events.record, programs=_programs(config))
    whose = functools.partial(_person_of, invitations)
    stage = Stage(source, settings.stage, on_viewers=announce, clock=clock, record=events.record, person_of=whose)
    ivs = ivs_parts(settings.stage, stage, database, network=network, clock=clock)
    access_recorder = AccessRecorder(database, config.store, invitations) if database and config.store else None
    signing_keys = _signing_keys(config, clock)
    room_watch = RoomWatch(settings.room, database, name_of=invitations.people.name_of, clock=clock)
    sound = _sound(config, clock)
    parts = invitations, stage, engine, parking, room_watch, sound, ivs
    room = _room(config, database, parts, bus, events, clock=clock)
    voice = _voice(config, (room, invitations, sound), bus, events, clock=clock)
    dependencies = Dependencies(
        engine=engine,
        bus=bus,
        stage=stage,
        webrtc=WebRtc(stage, settings.stage, clock=clock, network=network, voice=sound),
        stills=StillTaker(stage, clock=clock),
        stream=Stream(stage, clock=clock),
        invitations=invitations,
        room=room,
        voice=voice,
        passkeys=Passkeys(clock, database),
        tokens=ScriptTokens(invitations.programs, invitations.events, clock, database),
        clock=clock,
        head_name=profile.name,
        control=settings.control,
        options=settings.server,
        publishing=whip,
        ivs=ivs.participants if ivs is not None else None,
        ways=settings.stage.ways,
        page_reaches=page_reaches(settings.stage),
        frontends=settings.access.frontends,
        rooms=settings.rooms,
        gate=_gate(config, signing_keys, invitations),
        save_access=access_recorder.save if access_recorder is not None else save_nothing,
        visits=room_watch.visits,
        record=events.record,
        is_saving_positions=(lambda: positions.is_saving) if positions is not None else None,
        guardian=lambda: guard.state,
    )
    recorders = PositionRecorder(bus, positions) if positions is not None else None, access_recorder
    built = (engine, parking, units, stage, invitations, room, voice, sound, dependencies, database)
    return Belvedere(*built, *recorders, virtual_head, guard, whip, signing_keys, room_watch, ivs)


def _database(config: Config) -> tuple[Database | None, SavedPositions | None]:
    """The store, opened now because `_setup` needs the saved positions, and these; None without a store."""
    if config.store is None:
        return None, None
    database = Database(config.store)
    positions = SavedPositions(database, _calibrated_axes(config))
    database.open()
    return database, positions


def _whip(config: Config, network: ViewerNetwork, events: EventStream, clock: Callable[[], float]) -> Whip | None:
    """What lets a program publish the picture, if the camera is such a one."""
    is_published = isinstance(config.settings.camera, WhipCameraSettings)
    return Whip(clock=clock, record=events.record, network=network) if is_published else None


def _person_of(invitations: Invitations, session_id: str) -> str:
    """Whose session this is; a program's is its own."""
    session = invitations.find(session_id)
    return session_id if session is None else session.person


def _room(
    config: Config,
    database: Database | None,
    parts: tuple[Invitations, Stage, Engine, Parking, RoomWatch, Voice | None, IvsParts | None],
    bus: Bus,
    events: EventStream,
    *,
    clock: Callable[[], float],
) -> RoomRuntime:
    """The room's rules, which these parts obey, and in force from now on: nothing is shown until they are loaded."""
    invitations, stage, engine, parking, watch, sound, ivs = parts
    room = RoomRuntime(
        Privacy(ask_first=config.settings.room.ask_first),
        invitations,
        stage,
        engine,
        RoomStore(database, config.store) if database and config.store else NoRoomStore(),
        clock=clock,
        tell=functools.partial(bus.publish, TOPIC, None),
        record=events.record,
        outputs=(*([] if sound is None else [sound]), *([] if ivs is None else ivs.outputs)),
        parking=parking,
        signal_faults=watch.faults,
    )
    watch.signals.watch(room.receive_signals_changed)
    room.begin()
    events.subscribe(watch.receive)
    events.subscribe(room.receive)
    return room


def _sound(config: Config, clock: Callable[[], float]) -> Voice | None:
    """The room's microphone and speaker, which nobody may use before there are rules; None without `[voice]`."""
    options = config.settings.voice
    return Voice(SoundServerHardware(options), clock=clock) if options.enabled else None


def _voice(
    config: Config,
    parts: tuple[RoomRuntime, Invitations, Voice | None],
    bus: Bus,
    events: EventStream,
    *,
    clock: Callable[[], float],
) -> VoiceRuntime:
    """Who hears the room and talks to it, which the sound obeys."""
    room, invitations, sound = parts
    voice = VoiceRuntime(
        room,
        invitations,
        talking=TalkMode(config.settings.voice.talking),
        clock=clock,
        publish=bus.publish,
        tell=functools.partial(bus.publish, TOPIC, None),
        record=events.record,
    )
    room.watch_voice(voice.receive_rules_changed, voice.faults)
    if sound is not None:
        sound.rules, sound.tell = voice, voice.receive_voice_changed
        voice.attach(sound)
    return voice


def _engine(control: Control, guard: UnitGuard, bus: Bus, events: EventStream, clock: Callable[[], float]) -> Engine:
    """The engine, whose loop the guard watches."""
    return Engine(
        control,
        clock=clock,
        bus=bus,
        beat=guard.beat,
        beat_s=guard.beat_s,
        stops_elsewhere=guard.new_stops,
        record=events.record,
    )


def _parking(config: Config, engine: Engine, clock: Callable[[], float], events: EventStream) -> Parking:
    """What turns the head away where the curtain is closed, to where the settings say."""
    speeds = {axis: _full_speed(config, axis) for axis in AXES}
    settings = config.settings
    return Parking(engine, settings.room.park, speeds, settings.control, clock=clock, record=events.record)


def _units(
    config: Config, virtual_head: VirtualHead | None, engine: Engine, guard: UnitGuard, clock: Callable[[], float]
) -> dict[Axis, UnitSupervisor]:
    """Create the supervisors of both units, and attach them to the engine."""
    units: dict[Axis, UnitSupervisor] = {}
    link_to = _links(config, virtual_head, units)
    for axis in AXES:
        unit = config.profile.unit(axis)
        frame, options = config.profile.frame, config.settings.link
        units[axis] = UnitSupervisor(axis, link_to(unit), frame, unit, clock=clock, options=options, listener=guard)
        engine.attach(axis, units[axis])
    return units


def _programs(config: Config) -> Programs:
    """Whom the settings let in by a token."""
    access, camera = config.settings.access, config.settings.camera
    programs = [(player_session(player), player.token) for player in access.players]
    if isinstance(camera, WhipCameraSettings):
        programs.append((publisher_session(), camera.token))
    return Programs(programs)


def _signing_keys(config: Config, clock: Callable[[], float]) -> SigningKeys | None:
    """The keys of Cloudflare Access, if everybody comes in by it."""
    options = config.settings.access.cloudflare
    if options is None:
        return None
    from belvedere.access.jwks import request_keys  # noqa: PLC0415 - cryptography is heavy, and needed only here
    from belvedere.access.signing_keys import SigningKeys  # noqa: PLC0415 - likewise

    return SigningKeys(lambda: request_keys(options.keys_url), clock)


def _gate(config: Config, keys: SigningKeys | None, invitations: Invitations) -> Authenticator | None:
    """What lets nobody in but by Cloudflare Access, if it is configured."""
    options = config.settings.access.cloudflare
    if options is None or keys is None:
        return None
    from belvedere.access.signed_tokens import SignedTokens  # noqa: PLC0415 - PyJWT is heavy, and needed only here

    return CloudflareGate(CloudflareSessions(SignedTokens(options, keys), invitations, time.time))


def _guard(config: Config, clock: Callable[[], float], notifier: Notifier) -> UnitGuard:
    beat_s = config.settings.control.dead_man_s / BEATS_PER_DEAD_MAN
    return UnitGuard(
        _guardian(config, clock), notifier, config.profile, beat_s=beat_s, is_wanted=_wants_guardian(config)
    )


def _wants_guardian(config: Config) -> bool:
    """Whether a guardian is needed. Virtual units are in this process, and stop with it."""
    return isinstance(config.settings.head, BluetoothHeadSettings) and config.settings.guardian.enabled


def _guardian(config: Config, clock: Callable[[], float]) -> GuardianProcess | None:
    """Create the guardian. Belvedere also runs without one, with a warning in the log."""
    if not _wants_guardian(config):
        return None
    stop = stop_frame(config.profile.frame)
    try:
        return GuardianProcess(stop, dead_man_s=config.settings.control.dead_man_s, clock=clock)
    except (OSError, AttributeError) as error:  # shared memory by memfd: only on Linux, and not always permitted
        logger.warning("could not create the guardian: %s; if Belvedere hangs, the head continues to turn", error)
        return None


def _calibrated_axes(config: Config) -> list[str]:
    """The axes whose position can be estimated: those whose speed is known."""
    return [axis.value for axis in AXES if _full_speed(config, axis) is not None]


def _full_speed(config: Config, axis: Axis) -> float | None:
    unit = config.profile.unit(axis)
    return None if unit is None else unit.full_speed_deg_per_s


def _setup(config: Config, axis: Axis, positions: SavedPositions | None) -> AxisSetup:
    position = positions.at_start.get(axis, ORIGIN) if positions is not None else ORIGIN
    limits: AxisLimits = getattr(config.settings.control, axis)
    if limits.is_limited and not position.is_sure:
        logger.warning(
            "%s: may have moved since its position was saved; its limits may be wrong, see docs/how-to/limit-travel.md",
            axis,
        )
    return AxisSetup(
        full_speed_deg_per_s=_full_speed(config, axis),
        limits=limits,
        position_deg=position.deg,
        is_position_sure=position.is_sure,
    )


def _virtual_head(config: Config) -> VirtualHead | None:
    if not isinstance(config.settings.head, VirtualHeadSettings):
        return None
    from belvedere.sim.head import VirtualHead  # noqa: PLC0415 - bumble is heavy, and needed only for a virtual head

    return VirtualHead(config.profile)


def _links(
    config: Config, virtual_head: VirtualHead | None, units: Mapping[Axis, UnitSupervisor]
) -> Callable[[UnitProfile | None], UnitLink]:
    """Return a function that creates the link to a unit. All units share the adapter's `Radio`."""
    head = config.settings.head
    if isinstance(head, NoHeadSettings):
        return lambda _unit: DisabledUnit()
    from belvedere.link.ble import BleUnit  # noqa: PLC0415 - bleak is heavy, and not needed without Bluetooth
    from belvedere.link.radio import Radio  # noqa: PLC0415 - likewise

    radio = Radio(
        client_backend=virtual_head.client_backend if virtual_head else None,
        scanner_backend=virtual_head.scanner_backend if virtual_head else None,
        adapter=head.adapter if isinstance(head, BluetoothHeadSettings) else None,
        options=config.settings.link,
        takes_over=virtual_head is None,
        may_end_links=lambda: not any(unit.needs_its_link for unit in units.values()),
    )
    all_units = [unit for axis in AXES if (unit := config.profile.unit(axis)) is not None]
    return lambda unit: DisabledUnit() if unit is None else BleUnit(unit, radio, _others(all_units, unit))


def _others(units: list[UnitProfile], unit: UnitProfile) -> list[UnitProfile]:
    return [other for other in units if other is not unit]


def picture_source(  # noqa: PLR0911 (one for each kind of camera)
    config: Config, virtual_head: VirtualHead | None, whip: Whip | None = None
) -> Callable[[], VideoSource]:
    """Return the factory of video sources, called for each first viewer. All simulated cameras share one room."""
    match config.settings.camera:
        case PatternCameraSettings():
            return PatternSource
        case RoomCameraSettings(time_bar=is_measuring):
            return _room_source(virtual_head, is_measuring=is_measuring)
        case FileCameraSettings(path=path):
            return lambda: FileSource(Path(path))
        case RtspCameraSettings() as rtsp:
            return lambda: RtspSource(
                rtsp.url,
                username=rtsp.username,
                password=rtsp.password,
                transport=rtsp.transport,
                encodes_anew=rtsp.encode_anew,
                trusts_clock=rtsp.trust_clock,
            )
        case ProcessCameraSettings(command=command, encode_anew=is_anew):
            return lambda: ProgramSource(split_command(command), encodes_anew=is_anew)
        case V4l2CameraSettings(device=device, format=pixel_format, input=index, controls=controls):
            camera = V4l2Camera(device, pixel_format, index, controls)
            return lambda: V4l2Source(camera)
        case WhipCameraSettings():
            publication = whip.publication if whip is not None else Publication()
            return lambda: PublishedSource(publication)
        case never:
            assert_never(never)


def _room_source(virtual_head: VirtualHead | None, *, is_measuring: bool) -> Callable[[], VideoSource]:
    room = Room()

    def angles(at_s: float) -> tuple[float, float]:
        if virtual_head is None:
            return 0.0, 0.0
        return virtual_head.pan.angle_at(at_s), virtual_head.tilt.angle_at(at_s)

    return lambda: RoomSource(room, angles, is_measuring=is_measuring)
