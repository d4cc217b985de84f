"""Runs the real engine over two fake units and a fake stage: no radio, camera or network."""

from __future__ import annotations

import asyncio
import functools
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tests.support.fake_voice import FakeVoice

from belvedere.access.invitations import AccessOptions, Invitations
from belvedere.access.passkeys import Passkeys
from belvedere.access.rights import Rights, Role
from belvedere.access.script_tokens import ScriptTokens
from belvedere.control.core import Control
from belvedere.control.motion import AxisSetup
from belvedere.control.options import ControlOptions
from belvedere.engine.bus import Bus
from belvedere.engine.engine import Engine
from belvedere.errors import InternalError, StageError, StageReason
from belvedere.events import EventStream
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.options import GatewayOptions
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase, UnitStatus
from belvedere.privacy.core import Privacy
from belvedere.privacy.hours import LocalTime
from belvedere.room.room_store import NoRoomStore
from belvedere.room.runtime import TOPIC, RoomRuntime
from belvedere.room.voice_runtime import VoiceRuntime
from belvedere.stage.direct.answer import Answer, CaptureClock
from belvedere.stage.stills import StillImage
from belvedere.stage.stream.peer import StreamEnd
from belvedere.stage.stream.socket import SocketClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from belvedere.access.people import Person
    from belvedere.access.sessions import IssuedSession
    from belvedere.errors import CameraReason
    from belvedere.events import Event
    from belvedere.room.room_store import KeepsRoom
    from belvedere.stage.options import IceServer
    from belvedere.stage.stills import ImageFormat
    from belvedere.stage.stream.socket import FrameSocket


NO_PAGE = Path("nowhere")
EPOCH_S = 1_796_083_200.0  # the wall clock's time when the loop's is 0


class FakeUnit:
    """A unit in reach that records every command and acknowledges it at once.

    Set `failure` to make its next command raise, as no real one may; while `is_silent`, it acknowledges nothing.
    """

    def __init__(self, axis: Axis, engine: Engine, clock: Callable[[], float]) -> None:
        self._axis, self._engine, self._clock = axis, engine, clock
        self.status = UnitStatus(LinkPhase.READY, None, None, 0.03)
        self.velocities: list[tuple[float, float]] = []
        self.failure: Exception | None = None
        self.is_silent = False
        self._is_commanded = asyncio.Event()

    @property
    def velocity(self) -> float:
        """The velocity of its newest command."""
        return self.velocities[-1][1] if self.velocities else 0.0

    def put(self, velocity: float, stamp: object | None = None) -> None:
        """Record and acknowledge."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        now = self._clock()
        self.velocities.append((now, velocity))
        self._is_commanded.set()
        if not self.is_silent:
            self._engine.receive_unit_written(self._axis, velocity, stamp, now)

    async def stands_still(self) -> None:
        """Wait until its newest command is a stop."""
        while self.velocity:
            self._is_commanded.clear()
            await self._is_commanded.wait()


class FakeStage:
    """A stage that answers every offer with an empty description; `refusal` makes it refuse."""

    def __init__(self) -> None:
        self.viewers = 0
        self.is_available = True
        self.camera_reason: CameraReason | None = None
        self.is_warm = False
        self.refusal: StageReason | None = None
        self.stills: list[str] = []  # the owners who took one
        self.still_s = 0.0  # how long a still takes
        self.offers: dict[str, tuple[str, str]] = {}  # viewer -> (owner, offer)
        self.ice_servers: tuple[IceServer, ...] = ()
        self.views: list[str] = []
        self.is_covered = False

    def cover(self) -> None:
        """Forget all viewers."""
        self.is_covered = True
        self.offers.clear()

    def uncover(self) -> None:
        """Record it."""
        self.is_covered = False

    def preload(self) -> None:
        """Record the request."""
        self.is_warm = True

    async def answer(self, offer_sdp: str, owner: str, view: str = "") -> Answer:
        """Answer, or raise StageError with `refusal`."""
        if self.refusal is not None:
            raise StageError(self.refusal)
        viewer = f"viewer{len(self.offers)}"
        self.offers[viewer] = (owner, offer_sdp)
        self.views.append(view)
        return Answer(viewer, "v=0\r\n", CaptureClock(90_000, 1000))

    async def take(self, owner: str, image_format: ImageFormat) -> StillImage:
        """A still with its owner's name in it, or StageError with `refusal`."""
        if self.refusal is not None:
            raise StageError(self.refusal)
        await asyncio.sleep(self.still_s)
        self.stills.append(owner)
        return StillImage(owner.encode(), image_format, datetime(2026, 11, 28, 9, 30, 5, 250_000, tzinfo=UTC))

    async def ice_servers_of(self, owner: str) -> tuple[IceServer, ...]:
        """The servers, of which those with a user name have the owner's."""
        return self.newest_ice_servers_of(owner)

    def newest_ice_servers_of(self, owner: str) -> tuple[IceServer, ...]:
        """Likewise."""
        return tuple(
            server if server.username is None else msgspec.structs.replace(server, username=owner)
            for server in self.ice_servers
        )

    async def serve(self, socket: FrameSocket, _owner: str, require_permitted: Callable[[], None]) -> StreamEnd:
        """Send nothing until the peer leaves; `tests/gateway/test_stream_socket.py` has a real stage instead."""
        require_permitted()
        with suppress(SocketClosedError):
            while True:
                await socket.receive()
        return StreamEnd.LEFT

    async def end(self, viewer_id: str, owner: str) -> None:
        """Forget one viewer."""
        if self.offers.get(viewer_id, ("", ""))[0] != owner:
            raise StageError(StageReason.NOT_FOUND)
        del self.offers[viewer_id]

    async def end_all_of(self, owner: str) -> None:
        """Forget an owner's viewers."""
        self.offers = {viewer: offer for viewer, offer in self.offers.items() if offer[0] != owner}


@dataclass
class EngineRig:
    """Everything but the gateway."""

    clock: Callable[[], float]
    bus: Bus
    engine: Engine
    invitations: Invitations
    options: ControlOptions
    units: dict[Axis, FakeUnit]
    passkeys: Passkeys
    room: RoomRuntime
    stage: FakeStage
    voice: FakeVoice
    voice_rules: VoiceRuntime
    events: list[Event] = field(default_factory=list)

    def dependencies(self, page: Path = NO_PAGE, options: GatewayOptions | None = None) -> Dependencies:
        """What the gateway is built on; without a directory given, its page is not built."""
        return Dependencies(
            engine=self.engine,
            bus=self.bus,
            stage=self.stage,
            webrtc=self.stage,
            stills=self.stage,
            stream=self.stage,
            invitations=self.invitations,
            room=self.room,
            voice=self.voice_rules,
            passkeys=self.passkeys,
            tokens=ScriptTokens(self.invitations.programs, self.invitations.events, self.clock),
            clock=self.clock,
            record=self.events.append,
            head_name="A head of paper",
            control=self.options,
            options=options or GatewayOptions(),
            page=page,
        )

    def open_session(self, name: str = "", role: Role = Role.VISITOR, rights: Rights | None = None) -> IssuedSession:
        """A session of the person of this name, who is added if need be; without a name, of somebody new."""
        issued = self.invitations.open_session(self.person(name, role).id)
        if rights is None or rights == issued.session.rights:
            return issued
        self.invitations.change_rights(issued.session.id, rights)
        session = self.invitations.session(issued.cookie)
        assert session is not None
        return msgspec.structs.replace(issued, session=session)

    def person(self, name: str = "", role: Role = Role.VISITOR) -> Person:
        """The person of this name and role, who is added if need be; without a name, somebody new."""
        people = self.invitations.people
        known = (each for each in people.all() if name and (each.name, each.role) == (name, role))
        return next(known, None) or people.add(name or "Somebody", role)

    def invite(self, name: str = "", role: Role = Role.VISITOR) -> str:
        """The secret of a fresh invitation of a person."""
        return self.invitations.invite(self.person(name, role).id)

    def lose(self, axis: Axis) -> None:
        """The unit of this axis goes out of reach."""
        self._link(axis, LinkPhase.SEARCHING)

    def find(self, axis: Axis) -> None:
        """The unit of this axis comes back."""
        self._link(axis, LinkPhase.READY)

    def _link(self, axis: Axis, phase: LinkPhase) -> None:
        unit = self.units[axis]
        unit.status = UnitStatus(phase, None, None, unit.status.interval_s)
        self.engine.receive_unit_status(axis, unit.status)


def noon(_utc_s: float) -> LocalTime:
    """Monday noon, at any time."""
    return LocalTime(0, 720)


@asynccontextmanager
async def open_rig(
    options: ControlOptions | None = None,
    invitations: AccessOptions | None = None,
    room_store: KeepsRoom | None = None,
    *,
    ask_first: bool = False,
    has_voice: bool = False,
) -> AsyncIterator[EngineRig]:
    """Run an engine and a room's rules on the running loop's clock, with both units in reach."""
    clock = asyncio.get_running_loop().time
    options = options or ControlOptions()
    bus, stream, stage = Bus(), EventStream(), FakeStage()
    setup = AxisSetup(full_speed_deg_per_s=30.0)
    events: list[Event] = []
    stream.subscribe(events.append)
    engine = Engine(Control(options, dict.fromkeys(AXES, setup)), clock=clock, bus=bus, record=stream.record)
    units = {axis: FakeUnit(axis, engine, clock) for axis in AXES}
    for axis, unit in units.items():
        engine.attach(axis, unit)
        engine.receive_unit_status(axis, unit.status)
    known = Invitations(clock, invitations, stream.record)
    room = RoomRuntime(
        Privacy(ask_first=ask_first),
        known,
        stage,
        engine,
        room_store or NoRoomStore(),
        clock=clock,
        utc=lambda: EPOCH_S + clock(),
        local=noon,
        tell=functools.partial(bus.publish, TOPIC, None),
        record=stream.record,
    )
    stream.subscribe(room.receive)
    voice_rules = VoiceRuntime(
        room,
        known,
        clock=clock,
        publish=bus.publish,
        tell=functools.partial(bus.publish, TOPIC, None),
        record=stream.record,
    )
    voice = FakeVoice(voice_rules, voice_rules.receive_voice_changed)
    if has_voice:
        voice_rules.attach(voice)
    room.watch_voice(voice_rules.receive_rules_changed, voice_rules.faults)
    room.begin()
    await room.load()
    running = [asyncio.create_task(each) for each in (engine.run(), room.run(), voice_rules.run())]
    await asyncio.sleep(0)
    try:
        parts = (engine, known, options, units, Passkeys(clock), room, stage, voice, voice_rules)
        yield EngineRig(clock, bus, *parts, events)
    finally:
        for task in running:
            task.cancel()
        with suppress(asyncio.CancelledError, InternalError):
            await asyncio.gather(*running)
        await room.close()
