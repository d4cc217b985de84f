"""Those who watch through Amazon IVS: admits them, counts them, and puts them out.

    token handed out -> on the stage, as far as we know -> being put out -> out

Whoever has a token may see, and nothing tells us when. So a participant is a viewer of our stage, whom the room is
shown, from the moment that the token is handed out; the page repeats that it still watches, and whoever falls silent is
put out. Each is saved before the token leaves, so that a restart puts out those whom nobody counts any more.

The camera's publisher may send only while nobody is on the stage who must not see (`disconnections`), and while the
month's hours are not used up.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from belvedere.errors import IvsError, StageError, StageReason, StoreError
from belvedere.stage.ivs.disconnections import Disconnections
from belvedere.stage.ivs.token_source import JOIN_S
from belvedere.stage.options import CLOSE_TIMEOUT_S
from belvedere.stage.viewer import ViewerRole
from belvedere.store import participants as rows
from belvedere.store.database import LatestKey
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.stage.ivs.participant_hours import ParticipantHours
    from belvedere.stage.ivs.publishing import Publishing
    from belvedere.stage.ivs.token_source import ParticipantToken, TokenSource
    from belvedere.stage.ivs_options import IvsOptions
    from belvedere.stage.stage import Stage
    from belvedere.stage.viewer import Viewer
    from belvedere.store.database import Database

logger = logging.getLogger(__name__)

WAY: Final = "IVS"
KIND: Final = "participants of Amazon IVS"
BEAT_S: Final = 20.0  # how often a page says that it still watches
SILENT_S: Final = 60.0  # after which it does not: three beats, because pages in the background are slowed down
MAX_LEAVERS: Final = 64  # being put out at a time; AWS takes five calls a second


@dataclass(frozen=True, slots=True)
class Admission:
    """What a page is told: its token, and the participant that it repeats."""

    token: ParticipantToken
    join_within_s: float = JOIN_S
    beat_s: float = BEAT_S


class _Connection:
    """One participant, as the stage sees its connection; implements `video_way.ViewerConnection`."""

    def __init__(
        self, participants: Participants, token: ParticipantToken, viewer: Viewer, may_look: Callable[[], bool]
    ) -> None:
        self._participants = participants
        self.token = token
        self.viewer = viewer
        self.may_look = may_look
        self.timer: asyncio.TimerHandle | None = None

    def cut(self) -> None:
        """Nothing: what is on its way is the publisher's."""

    async def close(self) -> None:
        """Put it out; waits for AWS only as long as a connection may take to close."""
        await self._participants.put_out(self)


class Participants:
    """The way to watch through Amazon IVS, without what publishes; implements `video_way.VideoWay`.

    Args:
        options: the settings of the stage at Amazon IVS.
        stage: admits the viewers.
        tokens: makes their tokens.
        disconnect: puts a participant out once; raises IvsError.
        load: imports what that needs; raises IvsError.
        hours: what is billed.
        publishing: the camera's publisher.
        database: where participants are saved.
        clock: seconds, monotonic.
        utc: seconds since 1970.
    """

    name = WAY

    def __init__(
        self,
        options: IvsOptions,
        stage: Stage,
        tokens: TokenSource,
        disconnect: Callable[[str], Awaitable[None]],
        *,
        load: Callable[[], None],
        hours: ParticipantHours,
        publishing: Publishing,
        database: Database,
        clock: Callable[[], float],
        utc: Callable[[], float],
    ) -> None:
        self.options = options
        self.hours = hours
        self._stage = stage
        self._tokens = tokens
        self._load = load
        self._publishing = publishing
        self._database = database
        self.leavers = Disconnections(disconnect, on_change=self.refresh, forget=self._forget, clock=clock, utc=utc)
        self._connections: dict[str, _Connection] = {}  # by participant
        self._count = 0
        self._is_loaded = False
        self._is_forbidden = True
        publishing.forbid()
        stage.add_way(self)

    def __len__(self) -> int:
        return len(self._connections)

    def load(self) -> None:
        """Import what signs tokens, and what puts people out."""
        try:
            self._tokens.load()
            self._load()
        except IvsError as error:
            logger.error("nobody can watch through Amazon IVS: %s", error)  # noqa: TRY400 - the owner can fix it

    @property
    def is_forbidden(self) -> bool:
        """Whether nothing may be published now."""
        return self._is_forbidden

    async def load_saved(self) -> None:
        """Put out those of before the start; until they are out, nothing is published. Raises StoreError."""
        saved = await self._database.read(rows.load_participants, "the participants of Amazon IVS")
        if saved:
            logger.info("putting out %d participants of Amazon IVS of before the start", len(saved))
        for each in saved:
            self.leavers.begin(each.id, each.join_by_utc_s, _nobody_may)
        self._is_loaded = True
        self.refresh()

    async def admit(
        self, owner: str, view: str, require_permitted: Callable[[], None], may_look: Callable[[], bool]
    ) -> Admission:
        """Hand out a token to a session, which is counted as watching from now on.

        `require_permitted` raises where the session may not look any more, and `may_look` says it. Raises
        StageError (IVS_UNAVAILABLE, IVS_USED_UP, and as `Stage.admit`), VisitorError.
        """
        self._require_open()
        try:
            token = await self._tokens.viewer_token()
            await self._save(token)
        except (IvsError, StoreError) as error:
            logger.warning("a page gets no token for Amazon IVS: %s", error)
            raise StageError(StageReason.IVS_UNAVAILABLE, "this way to watch cannot be used now") from error
        try:
            require_permitted()
            self._require_open()
            viewer = self._stage.admit(owner, self, view, ViewerRole.PARTICIPANT)
        except Exception:
            self._forget(token.participant)  # nobody has seen the token
            raise
        connection = _Connection(self, token, viewer, may_look)
        viewer.connection = connection
        self._connections[token.participant] = connection
        viewer.receive_connected()
        self._receive_beat(connection)
        self.refresh()
        return Admission(token)

    def receive_beat(self, participant: str, owner: str) -> None:
        """A session's page still watches. Raises StageError (NOT_FOUND) where it has been put out."""
        self._receive_beat(self._connection_of(participant, owner))

    async def leave(self, participant: str, owner: str) -> None:
        """A session's page has left. Raises StageError (NOT_FOUND)."""
        await self._stage.end(self._connection_of(participant, owner).viewer.id, owner)

    async def put_out(self, connection: _Connection) -> None:
        """The stage has ended a viewer: put the participant out, and wait for that as long as a viewer may take."""
        if connection.timer is not None:
            connection.timer.cancel()
        token = connection.token
        self._connections.pop(token.participant, None)
        is_out = self.leavers.begin(token.participant, token.join_by_utc_s, connection.may_look)
        self.refresh()
        try:
            async with timeout(CLOSE_TIMEOUT_S - 0.5):
                await is_out.wait()
        except TimeoutError:
            logger.debug("participant %s is still being put out", token.participant)

    async def cut(self) -> None:
        """Nobody sees anything from now on; implements `room.MediaOutput`.

        The stage ends all viewers. This does not wait until AWS has put them out: nothing is published before that.
        """
        self._publishing.forbid()
        self._is_forbidden = True  # so that `refresh` permits it again
        await asyncio.sleep(0)  # the stage has ended its viewers, whose connections are closed in tasks of their own
        self.refresh()

    def refresh(self) -> None:
        """Look again at whether anything may be published: who is on the stage, or may look, may have changed."""
        count = len(self._connections) + len(self.leavers)
        self.hours.receive_participants(count)
        is_forbidden = not self._is_loaded or self.leavers.is_urgent or self.hours.is_used_up
        if is_forbidden:
            self._publishing.forbid()
        if len(self._connections) != self._count:
            self._count = len(self._connections)
            self._publishing.receive_participants(self._count)
        if not is_forbidden and self._is_forbidden:
            self._publishing.permit()
        self._is_forbidden = is_forbidden

    def receive_used_up(self) -> None:
        """The month's hours are used up, or a new month has begun: in the first case everybody is put out."""
        self.refresh()
        if self.hours.is_used_up:
            for connection in tuple(self._connections.values()):
                connection.viewer.receive_ended()

    async def close(self) -> None:
        """Give up putting out those who are not out yet; the next start does."""
        await self.leavers.close()

    def _require_open(self) -> None:
        if self.hours.is_used_up:
            raise StageError(StageReason.IVS_USED_UP, "this month's hours of this way to watch are used up")
        if self._is_forbidden or len(self.leavers) >= MAX_LEAVERS:
            raise StageError(StageReason.IVS_UNAVAILABLE, "this way to watch cannot be used now")

    def _connection_of(self, participant: str, owner: str) -> _Connection:
        connection = self._connections.get(participant)
        if connection is None or connection.viewer.owner != owner or connection.viewer.is_ended:
            raise StageError(StageReason.NOT_FOUND)
        return connection

    def _receive_beat(self, connection: _Connection) -> None:
        if connection.timer is not None:
            connection.timer.cancel()
        connection.timer = asyncio.get_running_loop().call_later(SILENT_S, connection.viewer.receive_ended)

    async def _save(self, token: ParticipantToken) -> None:
        row = rows.SavedParticipant(id=token.participant, join_by_utc_s=int(token.join_by_utc_s))
        what = "a participant of Amazon IVS"
        await self._database.write(functools.partial(rows.save_participant, participant=row), what)

    def _forget(self, participant: str) -> None:
        delete = functools.partial(rows.delete_participant, participant_id=participant)
        self._database.write_latest(LatestKey(KIND, participant), delete, "who is out of the stage at Amazon IVS")


def _nobody_may() -> bool:
    """Whether those of before a restart may look: nobody knows any more whose they are."""
    return False
