"""What the gateway needs of the other packages."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from belvedere.access.sessions import Session
from belvedere.control.options import ControlOptions
from belvedere.events import ignore
from belvedere.gateway.options import GatewayOptions
from belvedere.guardian.process import GuardianState
from belvedere.room.visit_recorder import VisitRecorder
from belvedere.stage.options import Way

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.access.invitations import Invitations
    from belvedere.access.passkeys import Passkeys
    from belvedere.access.script_tokens import ScriptTokens
    from belvedere.engine.bus import Bus
    from belvedere.engine.engine import Engine
    from belvedere.errors import CameraReason
    from belvedere.events import Event
    from belvedere.gateway.authentication import Authenticator
    from belvedere.gateway.listed_rooms import ListedRoom
    from belvedere.room.runtime import RoomRuntime
    from belvedere.room.voice_runtime import VoiceRuntime
    from belvedere.stage.direct.answer import Answer
    from belvedere.stage.direct.whip import WhipAnswer
    from belvedere.stage.ivs.participants import Admission
    from belvedere.stage.ivs_options import IvsOptions
    from belvedere.stage.options import IceServer
    from belvedere.stage.stills import ImageFormat, StillImage
    from belvedere.stage.stream.peer import StreamEnd
    from belvedere.stage.stream.socket import FrameSocket
    from belvedere.store.participants import SavedMonth

PAGE = Path(__file__).parent / "page"  # where the build puts the page


class Picture(Protocol):
    """What the gateway needs of the stage (stage.Stage)."""

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        ...

    @property
    def is_available(self) -> bool:
        """Whether there is a picture, as far as is known; true until a source has failed."""
        ...

    @property
    def camera_reason(self) -> CameraReason | None:
        """Why there is no picture, if that is known."""
        ...

    def preload(self) -> None:
        """Get ready for a first viewer; returns at once."""
        ...

    async def end(self, viewer_id: str, owner: str) -> None:
        """End one of the owner's connections. Raises StageError (NOT_FOUND)."""
        ...

    async def end_all_of(self, owner: str) -> None:
        """End every connection of an owner."""
        ...


class Offers(Protocol):
    """What the gateway needs of the way to watch by WebRTC (stage.direct.webrtc_way.WebRtc)."""

    async def answer(self, offer_sdp: str, owner: str, view: str = "") -> Answer:
        """Add a viewer. Raises StageError."""
        ...

    async def ice_servers_of(self, owner: str) -> tuple[IceServer, ...]:
        """The STUN and TURN servers for a session's page, with credentials that are valid now; may wait for them."""
        ...

    def newest_ice_servers_of(self, owner: str) -> tuple[IceServer, ...]:
        """The same, without waiting."""
        ...


class Stills(Protocol):
    """What the gateway needs to hand out single pictures (stage.stills.StillTaker)."""

    async def take(self, owner: str, image_format: ImageFormat) -> StillImage:
        """Take a picture for a session that is watching. Raises StageError and VisitorError (TOO_FAST)."""
        ...


class Streams(Protocol):
    """What the gateway needs of the way to watch by WebSocket (stage.stream.stream_way.Stream)."""

    async def serve(self, socket: FrameSocket, owner: str, require_permitted: Callable[[], None]) -> StreamEnd:
        """Serve an accepted socket to its end. Raises StageError, and what `require_permitted` raises."""
        ...


class Publishing(Protocol):
    """What the gateway needs of the camera that another program publishes (stage.direct.whip.Whip)."""

    async def publish(self, offer_sdp: str) -> WhipAnswer:
        """Let the sender of an offer publish, instead of whoever does. Raises StageError."""
        ...

    def end(self, publisher_id: str) -> None:
        """End a publisher. Raises StageError (NOT_FOUND)."""
        ...


class BilledHours(Protocol):
    """What the gateway tells of what Amazon IVS bills (stage.ivs.participant_hours.ParticipantHours)."""

    @property
    def is_used_up(self) -> bool:
        """Whether this month may have no more."""
        ...

    @property
    def is_saving(self) -> bool:
        """Whether a restart would know what was counted."""
        ...

    def months(self) -> list[SavedMonth]:
        """The months, newest first."""
        ...


class IvsStage(Protocol):
    """What the gateway needs of the way to watch through Amazon IVS (stage.ivs.participants.Participants)."""

    @property
    def options(self) -> IvsOptions:
        """Its settings."""
        ...

    @property
    def hours(self) -> BilledHours:
        """What is billed."""
        ...

    def refresh(self) -> None:
        """Somebody may not look any more, who may be about to be put out."""
        ...

    async def admit(
        self, owner: str, view: str, require_permitted: Callable[[], None], may_look: Callable[[], bool]
    ) -> Admission:
        """Hand out a token. Raises StageError, VisitorError, and what `require_permitted` raises."""
        ...

    def receive_beat(self, participant: str, owner: str) -> None:
        """A page still watches. Raises StageError (NOT_FOUND)."""
        ...

    async def leave(self, participant: str, owner: str) -> None:
        """A page has left. Raises StageError (NOT_FOUND)."""
        ...


async def save_nothing() -> None:
    """People and sessions end with the program: there is no store."""


def no_visit_book() -> VisitRecorder:
    """A visit book that nobody writes."""
    return VisitRecorder(None, 0, name_of=str, clock=time.monotonic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What the gateway is built on.

    Attributes:
        engine: what visitors may do to the head, and may know of it.
        room: its curtain, knocks and quiet hours, and who is here.
        voice: who hears and who talks.
        clock: seconds, monotonic, the same as the engine's and the stage's.
        head_name: the head's name, for people.
        guardian: whether the guardian process would stop the head if this process hung.
        publishing: lets a program publish the picture; None where the camera is of another kind.
        ivs: the way to watch through Amazon IVS; None where the settings have none.
        frontends: the other origins whose pages may use this house.
        rooms: the list of rooms, of which this may be one.
        ways: how pages get the picture, in the order to try.
        page_reaches: the sources of the page's policy, such as `wss://events.example.org`, which the view connects to.
        authenticators: further ways to prove a session, asked in this order after the cookie.
        gate: where there is one, the only way to prove a session, and no request but a health check goes without.
        save_access: returns once people, invitations and sessions, as they are, have been saved; raises StoreError.
        address: where people reach the house, such as `https://home.example.org`, as far as the settings say.
        visits: the visit book.
        record: called with an event for each refused command.
        is_saving_positions: whether the head's position is being saved; None where it is not meant to be.
    """

    engine: Engine
    bus: Bus
    stage: Picture
    webrtc: Offers
    stills: Stills
    stream: Streams
    invitations: Invitations
    room: RoomRuntime
    voice: VoiceRuntime
    passkeys: Passkeys
    tokens: ScriptTokens
    clock: Callable[[], float]
    head_name: str
    control: ControlOptions = field(default_factory=ControlOptions)
    options: GatewayOptions = field(default_factory=GatewayOptions)
    publishing: Publishing | None = None
    ivs: IvsStage | None = None
    frontends: tuple[str, ...] = ()
    rooms: tuple[ListedRoom, ...] = ()
    ways: tuple[Way, ...] = (Way.DIRECT, Way.STREAM)
    page_reaches: tuple[str, ...] = ()
    page: Path = PAGE
    authenticators: tuple[Authenticator, ...] = ()
    gate: Authenticator | None = None
    save_access: Callable[[], Awaitable[None]] = save_nothing
    address: Callable[[], str] = lambda: "http://localhost"
    visits: VisitRecorder = field(default_factory=no_visit_book)
    record: Callable[[Event], None] = ignore
    is_saving_positions: Callable[[], bool] | None = None
    guardian: Callable[[], GuardianState] = lambda: GuardianState.NOT_NEEDED


# What handlers declare to be given by name. Litestar would validate it as if it came from the client: it is our own.
InjectedDependencies = NamedDependency[SkipValidation[Dependencies]]
InjectedVisitor = NamedDependency[SkipValidation[Session]]
