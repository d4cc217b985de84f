"""Publishes the camera to the stage at Amazon IVS, while somebody watches there or may join.

    OFF --participants--> OPENING --connected--> PUBLISHING --its time is over--> OPENING, and PUBLISHING until then
     ^                     |   ^                     |
     |                  failed |                   ended
     |                     v   | the delay is over   v
     +---nobody is left--- WAITING <-----------------+

Each connection is a viewer of the stage, of the role PUBLISHER: so the curtain, which covers the stage, ends it within
that call, and admits none. `forbid` does the same for other reasons. IVS ends whoever publishes for 24 hours, so a new
connection takes over before, and both send for a moment.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import secrets
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from belvedere.errors import BelvedereError, StageError, StageReason
from belvedere.stage.direct.answer import RTP_WRAP
from belvedere.stage.direct.renewed import start_thread
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.webrtc_way import load_peers
from belvedere.stage.ivs import whip_client
from belvedere.stage.ivs.blocking_call import blocking_call
from belvedere.stage.ivs.fitted_frames import FittedFrames
from belvedere.stage.ivs.whip_answer import read_whip_answer
from belvedere.stage.viewer import ViewerRole
from belvedere.timeouts import timeout, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.secret import Secret
    from belvedere.stage.direct.peer import PeerListener
    from belvedere.stage.ivs.token_source import TokenSource
    from belvedere.stage.ivs.whip_client import WhipSession
    from belvedere.stage.options import StageOptions
    from belvedere.stage.stage import Stage
    from belvedere.stage.viewer import Viewer

WHIP_URL: Final = "https://global.whip.live-video.net/"  # of all stages; it redirects to one that is near
LINGER_S = 60.0  # after the last one left, who may only have reloaded the page
REPUBLISH_S = 23 * 3600.0  # IVS ends a connection after 24 hours
OVERLAP_S = 5.0  # pages change from one connection to the next when that has a picture
OPEN_TIMEOUT_S = 25.0  # for a token, the answer and the connection, each of which has a shorter one
RETRY_DELAYS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # after the first failure, the second, and so on
JITTER = 0.5  # random share of a delay: after an outage at AWS, not all houses come back at once
SHORTEST_DELAY_S = 2.0  # of a longer delay, so much is kept also when somebody joins
STEADY_S = 60.0  # a connection that lasted for so long begins with the first delay again
MAX_CALLS = 4  # at a time; a server that answers a byte every few seconds keeps a thread for days
END_TIMEOUT_S = 5.0  # for telling IVS, at the end of the program

logger = logging.getLogger(__name__)


class PublishingPeer(Protocol):
    """A connection to IVS (`direct.offering_peer.OfferingPeer`)."""

    async def offer(self) -> str:
        """Make an SDP offer to send one video. Raises StageError."""
        ...

    async def accept(self, answer: str) -> None:
        """Take the answer, and begin to connect. Raises StageError."""
        ...

    def cut(self) -> None:
        """Send nothing more of the frames that were taken."""
        ...

    async def close(self) -> None:
        """Free all resources within a bounded time; never raises."""
        ...


class PublishingPeerFactory(Protocol):
    """Creates a connection that sends frames."""

    def __call__(
        self,
        options: StageOptions,
        frames: FittedFrames,
        origin: int,
        request_idr: Callable[[], None],
        listener: PeerListener,
        /,
    ) -> PublishingPeer:
        """Create a peer whose RTP timestamps are `origin` plus the frames' ticks; it calls `request_idr` on loss."""
        ...


class Whip(Protocol):
    """The HTTP of WHIP (`whip_client`). Both methods block, for a bounded time."""

    def publish(self, url: str, token: Secret, offer: str) -> WhipSession:
        """Post an offer. Raises OSError, HTTPException or WhipError."""
        ...

    def end(self, session: WhipSession, token: Secret) -> None:
        """End a session. Raises as `publish`."""
        ...


class _Connection:
    """One connection to IVS, and its viewer at the stage; a `PeerListener` and a `ViewerConnection`."""

    def __init__(self, publisher: Publisher, stage: Stage, options: StageOptions) -> None:
        self._publisher = publisher
        self.viewer: Viewer = stage.admit("", publisher, role=ViewerRole.PUBLISHER)
        self.viewer.connection = self
        self.frames = FittedFrames(self.viewer.subscriber, lambda: stage.description, self.viewer.request_idr, options)
        self.peer: PublishingPeer | None = None
        self.changed = asyncio.Event()
        self.closed = asyncio.Event()
        self.is_connected = False
        self.began_s = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether it is over, or will never be established."""
        return self.viewer.is_ended

    def end(self) -> None:
        """End it: when this returns, nothing more is sent."""
        try:
            self.cut()
        finally:
            self.viewer.receive_ended()

    def receive_connected(self) -> None:
        self.is_connected = not self.has_ended
        self.viewer.receive_connected()
        self.changed.set()

    def receive_ended(self) -> None:
        self.viewer.receive_ended()

    def report_capacity(self, bits_per_s: float) -> None:
        self.viewer.report_capacity(bits_per_s)

    def report_loss(self, share: float) -> None:
        self.viewer.report_loss(share)

    def report_round_trip(self, seconds: float) -> None:
        self.viewer.report_round_trip(seconds)

    def cut(self) -> None:
        self.frames.cut()
        if self.peer is not None:
            self.peer.cut()

    async def close(self) -> None:
        self.is_connected = False
        self.changed.set()
        self.closed.set()
        self._publisher.receive_ended(self)
        self.frames.close()
        if self.peer is not None:
            await self.peer.close()


class Publisher:
    """Keeps the camera published; implements `publishing.Publishing`, `VideoWay` and `room.outputs.MediaOutput`.

    Args:
        stage: has the frames.
        tokens: lets the camera onto the stage at IVS.
        clock: the server's monotonic clock, the same as the stage's.
        network: what this connection shares with those of viewers.
        create_peer: creates connections; None for aiortc's, imported at first use.
        receive_publishing: called when the camera begins or stops to be a participant.
        chance: random, in [0, 1).
        start: runs a function in a thread.
    """

    name = "Amazon IVS"

    def __init__(
        self,
        stage: Stage,
        options: StageOptions,
        tokens: TokenSource,
        *,
        clock: Callable[[], float] = time.monotonic,
        network: ViewerNetwork | None = None,
        create_peer: PublishingPeerFactory | None = None,
        whip: Whip | None = None,
        receive_publishing: Callable[[bool], None] = lambda _is_publishing: None,
        chance: Callable[[], float] = random.random,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._stage = stage
        self._options = options
        self._tokens = tokens
        self._clock = clock
        self._network = network or ViewerNetwork(clock)
        self._create_peer = create_peer
        self._whip: Whip = whip or whip_client
        self._receive_publishing = receive_publishing
        self._chance = chance
        self._start_thread = start
        self._calls = threading.BoundedSemaphore(MAX_CALLS)
        self._count = 0
        self._is_forbidden = False
        self._is_publishing = False
        self._task: asyncio.Task[None] | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._hurry = asyncio.Event()
        self._connections: list[_Connection] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._failures = 0
        stage.add_way(self)

    @property
    def is_publishing(self) -> bool:
        """Whether the camera is a participant now."""
        return self._is_publishing

    def load(self) -> None:
        """Import aiortc, for the first participant."""
        self._loaded()

    def receive_participants(self, count: int) -> None:
        """So many watch, or may join at any moment: publish; for a minute after the last one."""
        if count > self._count:
            self._hurry.set()
        self._count = count
        if count:
            self._stop_lingering()
            self._start()
        elif self._task is not None and self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._stop, "nobody watches")

    def forbid(self) -> None:
        """Send nothing from now on, until `permit`."""
        self._is_forbidden = True
        self._stop("it is forbidden")

    def permit(self) -> None:
        """Publish again, if there are participants."""
        self._is_forbidden = False
        self._start()

    async def cut(self) -> None:
        """End what is published; a covered stage admits nothing new."""
        self._end_all()

    async def close(self) -> None:
        """Stop for good, and tell IVS, within a bounded time."""
        self.forbid()
        if self._ending:
            await asyncio.wait(self._ending, timeout=END_TIMEOUT_S)

    def receive_ended(self, connection: _Connection) -> None:
        """A connection is over, whoever ended it."""
        if connection in self._connections:
            self._connections.remove(connection)
        self._tell()

    # Private.

    def _start(self) -> None:
        if self._count and not self._is_forbidden and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._receive_done)

    def _stop(self, why: str) -> None:
        """Stop within this call; never raises."""
        self._stop_lingering()
        if self._task is not None:
            logger.info("stopped publishing to Amazon IVS: %s", why)
            self._task.cancel()
            self._task = None
        self._end_all()

    def _stop_lingering(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _end_all(self) -> None:
        for connection in list(self._connections):
            try:
                connection.end()
            except Exception:
                logger.exception("could not end a connection to Amazon IVS cleanly")
        self._connections.clear()
        self._tell()

    def _receive_done(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
            self._stop_lingering()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("publishing to Amazon IVS failed, and begins anew with the next participant", exc_info=error)
            self._end_all()

    def _tell(self) -> None:
        is_publishing = any(connection.is_connected for connection in self._connections)
        if is_publishing != self._is_publishing:
            self._is_publishing = is_publishing
            self._receive_publishing(is_publishing)

    async def _run(self) -> None:
        """Publish by one connection after the other, until there is no participant when one has ended."""
        self._failures = 0
        while True:
            connection = await self._opened()
            if connection is not None and await self._hold(connection):
                continue  # its time is over: the next one takes its place
            if not self._count:
                self._end_all()  # of an older one, in whose place none came
                return
            await self._pause()

    async def _opened(self) -> _Connection | None:
        """A new connection, which takes the place of an older one; None if that failed."""
        older = list(self._connections)
        connection: _Connection | None = None
        try:
            connection = _Connection(self, self._stage, self._options)
            async with timeout(OPEN_TIMEOUT_S):
                participant = await self._open(connection)
        except Exception as error:  # noqa: BLE001 - of AWS, the network or aiortc; whatever it is, it is tried again
            if connection is not None:
                connection.end()
            self._receive_failure(error)
            return None
        except asyncio.CancelledError:
            if connection is not None:
                connection.end()
            raise
        logger.info("the camera is published to Amazon IVS (participant %s)", participant)
        if older:
            await asyncio.sleep(OVERLAP_S)
            for each in older:
                each.end()
        return connection

    async def _open(self, connection: _Connection) -> str:
        """Connect; returns the participant's id."""
        viewer = connection.viewer
        self._connections.append(connection)
        viewer.receive_connecting()  # the camera turns on meanwhile
        create_peer = await asyncio.to_thread(self._loaded) if self._create_peer is None else self._create_peer
        _require(viewer)
        origin = secrets.randbelow(RTP_WRAP)
        peer = create_peer(self._options, connection.frames, origin, viewer.request_idr, connection)
        connection.peer = peer
        offer = await peer.offer()
        token = await self._tokens.publish_token()
        _require(viewer)
        session = await blocking_call(
            functools.partial(self._whip.publish, token.whip_url or WHIP_URL, token.token, offer),
            lambda late: self._whip.end(late, token.token),
            start=self._start_call,
        )
        self._end_with(connection, session, token.token)
        await peer.accept(read_whip_answer(session.answer))
        while not connection.is_connected:
            _require(viewer)
            connection.changed.clear()
            await connection.changed.wait()
        connection.began_s = self._clock()
        self._tell()
        return token.participant

    async def _hold(self, connection: _Connection) -> bool:
        """Wait until a connection ends or its time is over; returns whether it is the latter."""
        due_s = connection.began_s + REPUBLISH_S
        while not connection.has_ended:
            if self._clock() >= due_s:
                return True
            connection.changed.clear()
            await wait_until(connection.changed, due_s, self._clock)
        if self._clock() - connection.began_s >= STEADY_S:
            self._failures = 0
        logger.info("the connection to Amazon IVS ended after %.0f s", self._clock() - connection.began_s)
        self._failures += 1
        return False

    def _receive_failure(self, error: Exception) -> None:
        """Several failures in a row are logged as one."""
        level = logging.DEBUG if self._failures else logging.WARNING
        is_known = isinstance(error, (BelvedereError, whip_client.WhipError)) and str(error)
        logger.log(level, "could not publish to Amazon IVS: %s", error if is_known else repr(error))
        self._failures += 1

    async def _pause(self) -> None:
        """Wait before the next attempt; somebody who joins meanwhile shortens a long delay."""
        delay_s = RETRY_DELAYS_S[min(self._failures, len(RETRY_DELAYS_S)) - 1] * (1 - JITTER * self._chance())
        self._hurry.clear()
        await asyncio.sleep(min(delay_s, SHORTEST_DELAY_S))
        if delay_s > SHORTEST_DELAY_S:
            with suppress(TimeoutError):
                async with timeout(delay_s - SHORTEST_DELAY_S):
                    await self._hurry.wait()

    def _end_with(self, connection: _Connection, session: WhipSession, token: Secret) -> None:
        """Tell IVS when a connection has ended, so that it bills the participant no longer."""

        async def tell() -> None:
            await connection.closed.wait()
            try:
                await blocking_call(lambda: self._whip.end(session, token), start=self._start_call)
            except Exception as error:  # noqa: BLE001 - IVS notices by itself, later
                logger.debug("could not tell Amazon IVS that a connection has ended: %r", error)

        task = asyncio.get_running_loop().create_task(tell())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _start_call(self, run: Callable[[], None]) -> None:
        """Run a call in a thread, at most MAX_CALLS at a time. Raises WhipError where none of those returns."""
        if not self._calls.acquire(blocking=False):
            raise whip_client.WhipError("the server has not answered earlier requests to the end")

        def run_and_release() -> None:
            try:
                run()
            finally:
                self._calls.release()

        try:
            self._start_thread(run_and_release)
        except BaseException:
            self._calls.release()
            raise

    def _loaded(self) -> PublishingPeerFactory:
        if self._create_peer is None:
            self._create_peer = load_publishing_peers(self._network)
        return self._create_peer


def _require(viewer: Viewer) -> None:
    """Raise StageError (NO_PICTURE) if the stage has ended the connection meanwhile."""
    if viewer.is_ended:
        raise StageError(StageReason.NO_PICTURE, "the connection was ended before it was established")


def load_publishing_peers(network: ViewerNetwork) -> PublishingPeerFactory:
    """Load aiortc, in a thread. Raises OwnerError."""
    load_peers(network)
    from belvedere.stage.direct.offering_peer import OfferingPeer  # noqa: PLC0415 (aiortc is heavy)
    from belvedere.stage.direct.rtp_payloads import SharedPayloads  # noqa: PLC0415 (likewise)

    return functools.partial(OfferingPeer, payloads=SharedPayloads(), network=network)
