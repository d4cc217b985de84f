"""The viewers of the picture; the camera and the encoder run only while there is one.

A viewer is counted from the start of its offer, and watches once its connection is established:

    offer -> waiting for a turn -> answering -> answered -> watching -> dropped

Any state can lead to `dropped`: the viewer leaves, the connection fails or is not established in time, a newer
connection needs the room, the source fails, or the stage closes. `_drop` is the only way there, and does its work at
most once.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING

from belvedere.errors import StageError, StageReason
from belvedere.events import ViewerJoined, ViewerLeft, ignore
from belvedere.stage.backend import load_backend
from belvedere.stage.direct.answer import RTP_WRAP, Answer, CaptureClock
from belvedere.stage.direct.offer import Offer, read_offer
from belvedere.stage.direct.setup_queue import SetupQueue
from belvedere.stage.hub import Hub, Subscriber
from belvedere.stage.keyframe_requests import ViewerRequests
from belvedere.stage.options import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    MAX_UNCONNECTED,
    SET_UPS_APART_S,
    STALL_CHECK_S,
    STALL_TIMEOUT_S,
)
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event
    from belvedere.stage.backend import PictureProducer, StageBackend
    from belvedere.stage.direct.peer import Peer
    from belvedere.stage.hub import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import VideoSource

logger = logging.getLogger(__name__)

TRANSPORT = "WebRTC"  # of ViewerJoined


class _Viewer:
    """One viewer; passes the calls of its connection on to the stage."""

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
    """One stream of pictures for all viewers. All methods except `preload` belong to one event loop.

    Args:
        source_factory: creates the camera; called in a thread whenever a first viewer comes.
        options: size, rate and limits.
        on_viewers: called on the event loop with the number of viewers who watch, whenever that or `is_available`
            changes.
        clock: the server's monotonic clock in seconds; must be safe to call from any thread.
        record: called with the events ViewerJoined and ViewerLeft.
        backend: what connects and encodes; None for aiortc and FFmpeg, imported at first use.
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
        self._viewers: dict[str, _Viewer] = {}  # by id, oldest first
        self._set_ups = SetupQueue(SET_UPS_APART_S)
        self._closing: set[asyncio.Task[None]] = set()
        self._stall_check: asyncio.TimerHandle | None = None
        self._is_preloaded = False
        self._is_failing = False
        self._is_closed = False

    @property
    def viewers(self) -> int:
        """The number of viewers who watch; connections that are not established yet are not counted."""
        return sum(viewer.is_watching for viewer in self._viewers.values())

    @property
    def is_available(self) -> bool:
        """Whether there is a picture, as far as is known: False from a failure of the source until the next picture."""
        return not (self._is_failing or self._is_closed)

    def preload(self) -> None:
        """Import the libraries and prepare the source, in a thread, for the first viewer. May be called often."""
        if not self._is_preloaded:
            self._is_preloaded = True
            threading.Thread(target=self._preload, name="stage-warm", daemon=True).start()

    async def answer(self, offer_sdp: str, owner: str) -> Answer:
        """Add a viewer: answer the WHEP offer of the session `owner`.

        Pictures follow once the viewer has connected. If there are too many viewers, the owner's own oldest connection
        is ended, so that a page which disappeared without closing its connection locks nobody out. The same happens if
        an owner has too many connections that are not established. Connections are set up one after the other, some
        time apart, so that any number of offers leaves time on the event loop for driving.

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
        except BaseException:  # including cancellation, when the request ends
            self._drop(viewer)
            raise
        if viewer.id not in self._viewers:
            raise StageError(StageReason.NO_PICTURE, "the connection was ended before it was established")
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
        """End all connections and turn the source off; later offers are refused."""
        self._is_closed = True
        await self._end(list(self._viewers.values()))
        if self._closing:
            await asyncio.wait(self._closing)
        if self._producer is not None and not await self._producer.wait_off():
            logger.warning("the video source did not close in time and is abandoned")

    # Calls from connections and the producer.

    def receive_connected(self, viewer: _Viewer) -> None:
        """A viewer has connected: begin to send pictures."""
        if viewer.id not in self._viewers or viewer.is_watching:
            return
        if viewer.connect_timer is not None:
            viewer.connect_timer.cancel()
        viewer.is_watching, viewer.watching_since = True, self._clock()
        self._hub.attach(viewer.subscriber)
        self._record(ViewerJoined(viewer.id, viewer.owner, TRANSPORT))
        self._on_viewers(self.viewers)

    def receive_ended(self, viewer: _Viewer) -> None:
        """A connection ended by itself."""
        self._drop(viewer)

    def receive_frame(self, frame: EncodedFrame) -> None:
        """Send a picture to all viewers, and request a key frame for those whose request has waited long enough."""
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
        """A viewer lost the picture. A request that comes too soon waits, and is served in `receive_frame`."""
        if viewer.id in self._viewers and viewer.requests.receive_request(self._clock()):
            self._request_idr()

    def receive_failure(self, error: Exception) -> None:
        """The source failed: end all connections; the next viewer starts the source again.

        Only the first of several failures in a row is logged as an error.
        """
        is_first, self._is_failing = not self._is_failing, True
        logger.log(logging.ERROR if is_first else logging.DEBUG, "the video source failed: %r", error, exc_info=error)
        is_notified_by_drop = self.viewers > 0  # `_drop` calls `on_viewers` for those who watch
        for viewer in list(self._viewers.values()):
            self._drop(viewer)
        if is_first and not is_notified_by_drop:
            self._on_viewers(0)

    # Private.

    def _load(self) -> StageBackend:
        if self._backend is None:
            self._backend = load_backend()
        return self._backend

    def _preload(self) -> None:
        try:
            self._load()
        except Exception:
            logger.exception("could not load the video libraries; the first viewer tries again")
        options = self._options
        try:
            self._source_factory().prepare(options.width, options.height, options.fps)
        except Exception:
            logger.exception("could not prepare the video source; the first viewer tries again")

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
        if not await self._set_ups.take(lambda: viewer.id in self._viewers):  # a peer made now would never be closed
            raise StageError(StageReason.NO_PICTURE, "the connection was ended before it was established")
        origin = secrets.randbelow(RTP_WRAP)
        viewer.peer = backend.peer(self._options, viewer.subscriber, origin, viewer.request_idr, viewer)
        await asyncio.sleep(0)  # creating the peer took milliseconds: let other tasks run before the answer
        sdp = offer.complete(await viewer.peer.answer(offer.video))
        return Answer(viewer.id, sdp, CaptureClock.reading(self._clock(), origin))

    def _start(self) -> None:
        """Turn the source on already now, so that pictures are there when the viewer has connected."""
        if self._producer is None:
            self._producer = self._load().producer(self._source_factory, self._options, self._clock, self)
        self._producer.start(asyncio.get_running_loop())
        if self._stall_check is None:
            self._check_later()

    async def _end(self, viewers: list[_Viewer]) -> None:
        tasks = [self._drop(viewer) for viewer in viewers]
        if closing := {task for task in tasks if task is not None}:
            await asyncio.wait(closing)

    def _drop(self, viewer: _Viewer) -> asyncio.Task[None] | None:
        """Remove a viewer now; returns the task that closes its connection, if there is one to close."""
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
        """Abandon a source that hangs: its thread cannot be interrupted."""
        self._check_later()
        if self._producer is not None and self._producer.silent_s() > STALL_TIMEOUT_S:
            self._producer.abandon()
            self.receive_failure(StageError(StageReason.NO_PICTURE, "the video source does not answer"))
