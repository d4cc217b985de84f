"""Who watches, and that there is a picture exactly while somebody does."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING

from belvedere.errors import StageError, StageReason
from belvedere.events import ViewerJoined, ViewerLeft, ignore
from belvedere.stage.answer import RTP_WRAP, Answer, CaptureClock
from belvedere.stage.backend import load_backend
from belvedere.stage.hub import Hub, Subscriber
from belvedere.stage.keyframe_requests import ViewerRequests
from belvedere.stage.offer import Offer, read_offer
from belvedere.stage.options import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    MAX_UNCONNECTED,
    SET_UPS_APART_S,
    STALL_CHECK_S,
    STALL_TIMEOUT_S,
)
from belvedere.stage.turns import Turns
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event
    from belvedere.stage.backend import PictureProducer, StageBackend
    from belvedere.stage.hub import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.peer import Peer
    from belvedere.stage.source import VideoSource

logger = logging.getLogger(__name__)

WAY = "WebRTC"


class _Viewer:
    """One viewer from the offer to the end; listens to its own connection."""

    def __init__(self, owner: str, stage: Stage) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner = owner
        self.subscriber = Subscriber()
        self.requests = ViewerRequests()
        self.peer: Peer | None = None
        self.is_watching = False
        self.watching_since = 0.0
        self.connect_timer: asyncio.TimerHandle | None = None
        self._stage = stage

    def receive_connected(self) -> None:
        self._stage.receive_connected(self)

    def receive_ended(self) -> None:
        self._stage.receive_ended(self)

    def request_idr(self) -> None:
        self._stage.receive_request(self)


class Stage:
    """One picture for every viewer. All methods but `preload` belong to one event loop.

    Args:
        source_factory: makes the camera; called in a thread whenever a first viewer comes.
        options: size, rate and limits.
        on_viewers: called from the event loop with the number of those who watch, whenever that or `is_available`
            changes.
        clock: the server's monotonic clock in seconds, called from any thread.
        record: told who begins to watch, and who stops.
        kit: the parts to build from; without them aiortc and FFmpeg, imported at the first need.
    """

    def __init__(
        self,
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        *,
        on_viewers: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        record: Callable[[Event], None] = ignore,
        backend: StageBackend | None = None,
    ) -> None:
        self._source_factory = source_factory
        self._options = options
        self._on_viewers = on_viewers
        self._clock = clock
        self._record = record
        self._backend = backend
        self._producer: PictureProducer | None = None
        self._hub = Hub(self._request_idr)
        self._viewers: dict[str, _Viewer] = {}  # the oldest first
        self._set_ups = Turns(SET_UPS_APART_S)
        self._closing: set[asyncio.Task[None]] = set()
        self._stall_check: asyncio.TimerHandle | None = None
        self._is_preloaded = False
        self._is_failing = False
        self._is_closed = False

    @property
    def viewers(self) -> int:
        """How many watch, connections in the making not counted."""
        return sum(viewer.is_watching for viewer in self._viewers.values())

    @property
    def is_available(self) -> bool:
        """Whether there is a picture, as far as is known: not after it broke off, until one has come again."""
        return not (self._is_failing or self._is_closed)

    def preload(self) -> None:
        """Get ready for a first viewer, in a thread: import and decode what takes long. May be called often."""
        if not self._is_preloaded:
            self._is_preloaded = True
            threading.Thread(target=self._preload, name="stage-warm", daemon=True).start()

    async def answer(self, offer_sdp: str, owner: str) -> Answer:
        """Take in a viewer: the WHEP offer of `owner` in, our answer out.

        The picture follows once the viewer has connected. Where there is no room, the owner's own oldest connection
        makes it, so that nobody is locked out by a page of theirs that vanished without a goodbye. Likewise where an
        owner has many that have not connected. Connections are made one after the other, a while apart, so that any
        number of offers leaves the event loop to others.

        Raises StageError (BAD_OFFER, NO_COMMON_CODEC, TOO_MANY_VIEWERS, NO_PICTURE).
        """
        if self._is_closed:
            raise StageError(StageReason.NO_PICTURE, "the server is shutting down")
        offer = read_offer(offer_sdp)
        self._evict_oldest(owner)
        viewer = _Viewer(owner, self)
        self._viewers[viewer.id] = viewer
        try:
            async with timeout(ANSWER_TIMEOUT_S):
                answer = await self._answer(viewer, offer)
        except TimeoutError as error:
            self._drop(viewer)
            raise StageError(StageReason.NO_PICTURE, "the answer took too long") from error
        except BaseException:
            self._drop(viewer)
            raise
        if viewer.id not in self._viewers:
            raise StageError(StageReason.NO_PICTURE, "the connection ended before it began")
        viewer.connect_timer = asyncio.get_running_loop().call_later(CONNECT_TIMEOUT_S, self._drop, viewer)
        self._start()
        return answer

    async def end(self, viewer_id: str, owner: str) -> None:
        """End one of the owner's connections. Raises StageError (NOT_FOUND)."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None or viewer.owner != owner:
            raise StageError(StageReason.NOT_FOUND)
        await self._end([viewer])

    async def end_all_of(self, owner: str) -> None:
        """End every connection of an owner."""
        await self._end([viewer for viewer in self._viewers.values() if viewer.owner == owner])

    async def close(self) -> None:
        """End every connection and turn the source off; nobody is taken in any more."""
        self._is_closed = True
        await self._end(list(self._viewers.values()))
        if self._closing:
            await asyncio.wait(self._closing)
        if self._producer is not None and not await self._producer.wait_off():
            logger.warning("the picture's source does not let go; it is left behind")

    # what the connections and the producer tell

    def receive_connected(self, viewer: _Viewer) -> None:
        """Begin to send pictures to a viewer."""
        if viewer.id not in self._viewers or viewer.is_watching:
            return
        if viewer.connect_timer is not None:
            viewer.connect_timer.cancel()
        viewer.is_watching, viewer.watching_since = True, self._clock()
        self._hub.attach(viewer.subscriber)
        self._record(ViewerJoined(viewer.id, viewer.owner, WAY))
        self._on_viewers(self.viewers)

    def receive_ended(self, viewer: _Viewer) -> None:
        """A connection ended by itself."""
        self._drop(viewer)

    def receive_frame(self, frame: EncodedFrame) -> None:
        """Hand a picture to everyone."""
        if self._is_failing:
            self._is_failing = False
            self._on_viewers(self.viewers)
        self._hub.receive_frame(frame)
        now_s = self._clock()
        for viewer in self._viewers.values():
            if frame.is_idr:
                viewer.requests.receive_keyframe()
            elif viewer.requests.is_due(now_s):
                self._request_idr()

    def receive_request(self, viewer: _Viewer) -> None:
        """A viewer lost the picture. Whoever says so again soon is heard later, by one of the next frames."""
        if viewer.id in self._viewers and viewer.requests.receive_request(self._clock()):
            self._request_idr()

    def receive_failure(self, error: Exception) -> None:
        """The picture broke off: everyone is told by the end of their connection, and the next viewer tries anew."""
        is_news, self._is_failing = not self._is_failing, True
        logger.log(logging.ERROR if is_news else logging.DEBUG, "the picture broke off", exc_info=error)
        is_told_by_a_viewer = self.viewers > 0
        for viewer in list(self._viewers.values()):
            self._drop(viewer)
        if is_news and not is_told_by_a_viewer:
            self._on_viewers(0)

    # how it is done

    def _load(self) -> StageBackend:
        if self._backend is None:
            self._backend = load_backend()
        return self._backend

    def _preload(self) -> None:
        try:
            self._load()
        except Exception:
            logger.exception("getting ready for viewers failed; the first one will try again")
        options = self._options
        try:
            self._source_factory().prepare(options.width, options.height, options.fps)
        except Exception:
            logger.exception("getting the camera ready failed; the first viewer will try again")

    def _evict_oldest(self, owner: str) -> None:
        own = [viewer for viewer in self._viewers.values() if viewer.owner == owner]
        unconnected = [viewer for viewer in own if not viewer.is_watching]
        if len(unconnected) >= MAX_UNCONNECTED:
            self._drop(unconnected[0])
        elif len(self._viewers) >= self._options.max_viewers:
            if not own:
                raise StageError(StageReason.TOO_MANY_VIEWERS)
            self._drop(own[0])

    async def _answer(self, viewer: _Viewer, offer: Offer) -> Answer:
        backend = await asyncio.to_thread(self._load) if self._backend is None else self._backend
        if not await self._set_ups.take(lambda: viewer.id in self._viewers):  # nobody would close what is made now
            raise StageError(StageReason.NO_PICTURE, "the connection ended before it began")
        origin = secrets.randbelow(RTP_WRAP)
        viewer.peer = backend.peer(self._options, viewer.subscriber, origin, viewer.request_idr, viewer)
        await asyncio.sleep(0)  # the event loop looks after others before the answer is made
        sdp = offer.complete(await viewer.peer.answer(offer.video))
        return Answer(viewer.id, sdp, CaptureClock.reading(self._clock(), origin))

    def _start(self) -> None:
        """Turn the picture on, so that it is there by the time the viewer has connected."""
        if self._producer is None:
            self._producer = self._load().producer(self._source_factory, self._options, self._clock, self)
        self._producer.start(asyncio.get_running_loop())
        if self._stall_check is None:
            self._check_later()

    async def _end(self, viewers: list[_Viewer]) -> None:
        closing = [self._drop(viewer) for viewer in viewers]
        if waiting := {closing for closing in closing if closing is not None}:
            await asyncio.wait(waiting)

    def _drop(self, viewer: _Viewer) -> asyncio.Task[None] | None:
        """Forget a viewer now; the goodbye, if there is anyone to say it to, is said by the task returned."""
        if self._viewers.pop(viewer.id, None) is None:
            return None
        if viewer.connect_timer is not None:
            viewer.connect_timer.cancel()
        self._hub.detach(viewer.subscriber)
        if not self._viewers:
            self._turn_off()
        if viewer.is_watching:
            viewer.is_watching = False
            self._record(ViewerLeft(viewer.id, viewer.owner, self._clock() - viewer.watching_since))
            self._on_viewers(self.viewers)
        if viewer.peer is None:
            return None
        closing = asyncio.get_running_loop().create_task(viewer.peer.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing

    def _turn_off(self) -> None:
        if self._producer is not None:
            self._producer.stop()
        if self._stall_check is not None:
            self._stall_check.cancel()
            self._stall_check = None

    def _request_idr(self) -> None:
        if self._producer is not None:
            self._producer.request_idr()

    def _check_later(self) -> None:
        self._stall_check = asyncio.get_running_loop().call_later(STALL_CHECK_S, self._check_stall)

    def _check_stall(self) -> None:
        """A source that hangs cannot be ended, but it can be left behind."""
        self._check_later()
        if self._producer is not None and self._producer.silent_s() > STALL_TIMEOUT_S:
            self._producer.abandon()
            self.receive_failure(StageError(StageReason.NO_PICTURE, "the picture's source hangs"))
