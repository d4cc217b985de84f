"""The viewers of the picture, over all ways; the camera and the encoder run only while somebody needs the picture.

The phases of the stage, and what leads from one to the next (`phases.py` has the table):

    IDLE --needed--> STARTING --picture--> LIVE
      ^                 |                   |
      +---not needed----+-------------------+
                        |                   |
                     failure             failure
                        v                   v
                        +---> RETRYING <----+   --picture--> LIVE
                              |      ^
      not needed, or given up |      | needed
                              v      |
                            UNAVAILABLE

In RETRYING the supervisor tries again by itself, and viewers keep their connections and wait for the picture, at most
for OUTAGE_TIMEOUT_S: then they are ended. Any phase can lead to COVERED, which leads to IDLE, and to CLOSED, which is
the last. While the stage is COVERED there is no viewer, tap, source or encoder, and nobody is admitted. A viewer is
counted from its admission, and watches once its connection is established:

    JOINING -> CONNECTING -> WATCHING -> ENDED

Any phase can lead to ENDED: the viewer leaves, the connection fails or is not established in time, a newer connection
needs the room, the source fails for too long, or the stage closes. `_end_viewer` is the only way there, and does its
work once.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason, Refusal, StageError, StageReason, VisitorError
from belvedere.events import ViewerJoined, ViewerLeft, ignore
from belvedere.stage.adaptation import Adaptation
from belvedere.stage.encoding.encoder import announced_profile, load_codecs, prepare_encoder
from belvedere.stage.hub import Hub
from belvedere.stage.options import CONNECT_TIMEOUT_S, MAX_UNCONNECTED, OUTAGE_TIMEOUT_S
from belvedere.stage.phases import StageEvent, StagePhase, ViewerPhase, follow, follow_viewer
from belvedere.stage.producer import create_producer
from belvedere.stage.supervisor import SourceSupervisor
from belvedere.stage.tap import Tap
from belvedere.stage.viewer import Viewer, ViewerRole
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.producer import ProducerFactory
    from belvedere.stage.sources.source import VideoDescription, VideoSource
    from belvedere.stage.tap import Still
    from belvedere.stage.video_way import VideoWay
    from belvedere.stage.viewer import LinkReport

logger = logging.getLogger(__name__)

STILL_TIMEOUT_S = 10.0  # for a camera to turn on and capture
FAILING = {StagePhase.UNAVAILABLE, StagePhase.RETRYING}


class Stage:
    """One stream of pictures for all viewers. All methods except `preload` belong to one event loop.

    Args:
        source_factory: creates the camera; called in a thread whenever the picture is turned on.
        options: size, rate and limits.
        on_viewers: called on the event loop with the number of viewers who watch, whenever that, `is_available` or
            `camera_reason` changes.
        clock: the server's monotonic clock in seconds; must be safe to call from any thread.
        record: called with the events ViewerJoined and ViewerLeft.
        create_producer: creates what reads the camera and encodes, turned off.
        person_of: whose an owner is, who may have several; by default each is somebody else's.
    """

    def __init__(
        self,
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        *,
        on_viewers: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        record: Callable[[Event], None] = ignore,
        create_producer: ProducerFactory = create_producer,
        person_of: Callable[[str], str] = str,
    ) -> None:
        self._source_factory = source_factory
        self._options = options
        self._on_viewers = on_viewers
        self._clock = clock
        self._record = record
        self._person_of = person_of
        self._supervisor = SourceSupervisor(
            lambda listener: create_producer(source_factory, options, clock, listener), self
        )
        self._hub = Hub(self._supervisor.request_idr)
        self._adaptation = Adaptation(options, clock, self._supervisor.set_target, self._supervisor.request_idr)
        self._profile_level_id = ""
        self._ways: list[VideoWay] = []
        self._viewers: dict[str, Viewer] = {}  # by id, oldest first
        self._taps: set[Tap] = set()
        self._phase = StagePhase.IDLE
        self._description: VideoDescription | None = None
        self._camera_reason: CameraReason | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._outage_timer: asyncio.TimerHandle | None = None
        self._preloading: threading.Thread | None = None
        self._cut_s = -math.inf

    @property
    def viewers(self) -> int:
        """The number of viewers who watch: one for each view, though a page may open two connections at once.

        Connections not established yet are not counted.
        """
        return len({viewer.view for viewer in self._people() if viewer.phase is ViewerPhase.WATCHING})

    @property
    def description(self) -> VideoDescription | None:
        """What the source delivers now, or delivered last; None before the first picture."""
        return self._description

    @property
    def is_available(self) -> bool:
        """Whether there is a picture, as far as is known: False from a failure of the source until the next picture."""
        return self._phase not in {*FAILING, StagePhase.CLOSED}

    @property
    def profile_level_id(self) -> str:
        """Profile and level of the H.264 that is sent, as RTP names them; at first, what is expected."""
        return self._profile_level_id or announced_profile(self._options)

    @property
    def camera_reason(self) -> CameraReason | None:
        """Why the source failed last; None once there is a picture again."""
        return self._camera_reason

    def is_watching(self, owner: str) -> bool:
        """Whether one of the owner's connections shows the picture now."""
        return any(each.owner == owner and each.phase is ViewerPhase.WATCHING for each in self._viewers.values())

    def is_cut(self, captured_s: float) -> bool:
        """Whether what was captured then is to be forgotten, because of `cut`."""
        return captured_s <= self._cut_s

    def add_way(self, way: VideoWay) -> None:
        """Add a way to send the picture, before `preload`."""
        self._ways.append(way)

    def preload(self) -> None:
        """Import the libraries and prepare the source, in a thread, for the next viewer. May be called often."""
        is_off = self._phase in {StagePhase.COVERED, StagePhase.CLOSED}
        if not is_off and (self._preloading is None or not self._preloading.is_alive()):
            self._preloading = threading.Thread(target=self._preload, name="stage-warm", daemon=True)
            self._preloading.start()

    def admit(self, owner: str, way: VideoWay, view: str = "", role: ViewerRole = ViewerRole.VIEWER) -> Viewer:
        """Count a new viewer, whom `way` connects; it must report at once what comes of it.

        `view` names the picture on the owner's page, which may be sent by two ways while the page changes from one to
        the other; "" for one that is sent by no other way. A second connection of a view by the same way replaces the
        first.

        If there are too many viewers, the oldest connection of the owner's person is ended, so that a page which
        disappeared without closing its connection locks nobody out; for a person who has none, that of whoever has
        most. If an owner has too many connections that are not established, the oldest of these is ended. A publisher
        takes nobody's room.

        Raises StageError (TOO_MANY_VIEWERS; NO_PICTURE if the stage is closed), VisitorError (CURTAIN_CLOSED).
        """
        self._require_on()
        viewer = Viewer(owner, way.name, self, view, self._person_of(owner), role=role)
        if role is not ViewerRole.PUBLISHER:
            self._make_room(viewer)
        self._viewers[viewer.id] = viewer
        return viewer

    def open_tap(self) -> Tap:
        """Turn the picture on for somebody who is no viewer, until the tap is closed or the source fails.

        Use it in a `with` block. Raises StageError (NO_PICTURE) if the stage is closed, VisitorError (CURTAIN_CLOSED).
        """
        self._require_on()
        tap = Tap(self._supervisor.request_still, self._remove_tap)
        self._taps.add(tap)
        self._start()
        return tap

    async def take_still(self, timeout_s: float = STILL_TIMEOUT_S) -> Still:
        """Take one picture that is captured from now on. Raises StageError (NO_PICTURE)."""
        with self.open_tap() as tap:
            try:
                async with timeout(timeout_s):
                    return await tap.next_picture()
            except TimeoutError as error:
                raise StageError(StageReason.NO_PICTURE, "the camera took too long") from error

    async def end(self, viewer_id: str, owner: str) -> None:
        """End one of the owner's connections. Raises StageError (NOT_FOUND)."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None or viewer.owner != owner:
            raise StageError(StageReason.NOT_FOUND)
        await self._end([viewer])

    async def end_all_of(self, owner: str) -> None:
        """End every connection of an owner."""
        await self._end([viewer for viewer in self._viewers.values() if viewer.owner == owner])

    def cut(self) -> None:
        """Forget all that was captured until now: from the return on, none of it is sent, nor sent again.

        Viewers and taps stay; they go on with an IDR that is captured later. What the operating system or a relay
        already has, and what a page shows, is not reached.
        """
        self._cut_s = cut_s = self._clock()
        self._hub.cut(cut_s)
        for tap in self._taps:
            tap.cut(cut_s)
        self._supervisor.cut()
        for viewer in list(self._viewers.values()):
            try:
                if viewer.connection is not None:
                    viewer.connection.cut()
            except Exception:
                logger.exception("could not cut a viewer's connection; it is ended")
                self._end_viewer(viewer)

    def cover(self) -> None:
        """Turn the source off, cut, end all viewers and taps, and admit none until `uncover`.

        When it returns nothing that was captured can be sent any more. May be called again, and whatever the phase is.
        Each step is done also if another one fails; then the error is raised at the end.
        """
        self._follow(StageEvent.COVERING)
        with ExitStack() as steps:  # called in the opposite order
            steps.callback(self._end_all)
            steps.callback(self._close_taps)
            steps.callback(self._supervisor.stop)
            steps.callback(self.cut)

    def uncover(self) -> None:
        """Admit viewers again; the source stays off until one comes."""
        self._follow(StageEvent.UNCOVERING)

    async def close(self) -> None:
        """End all connections and turn the source off; later viewers are refused."""
        self._follow(StageEvent.CLOSING)
        self._close_taps()
        await self._end(list(self._viewers.values()))
        self._supervisor.stop()
        if self._closing:
            await asyncio.wait(self._closing)
        if not await self._supervisor.wait_off():
            logger.warning("the video source did not close in time and is abandoned")

    # Calls from viewers' ways.

    def receive_connecting(self, viewer: Viewer) -> None:
        """Turn the source on already now, so that pictures are there when the viewer has connected."""
        if viewer.phase is not ViewerPhase.JOINING:
            return
        viewer.phase = follow_viewer(viewer.phase, ViewerPhase.CONNECTING)
        viewer.timer = asyncio.get_running_loop().call_later(CONNECT_TIMEOUT_S, self._end_viewer, viewer)
        self._start()

    def receive_connected(self, viewer: Viewer) -> None:
        """A viewer has connected: begin to send pictures."""
        if viewer.phase in {ViewerPhase.WATCHING, ViewerPhase.ENDED}:
            return
        if viewer.timer is not None:
            viewer.timer.cancel()
        viewer.phase = follow_viewer(viewer.phase, ViewerPhase.WATCHING)
        viewer.watching_since_s = self._clock()
        self._start()
        if viewer.role is not ViewerRole.PARTICIPANT:
            self._hub.attach(viewer.subscriber)
            self._adaptation.add(viewer)
        if viewer.role is not ViewerRole.PUBLISHER:
            self._record(ViewerJoined(viewer.id, viewer.owner, viewer.way, viewer.view[1]))
            self._on_viewers(self.viewers)

    def receive_ended(self, viewer: Viewer) -> None:
        """A connection ended by itself."""
        self._end_viewer(viewer)

    def receive_request(self, viewer: Viewer) -> None:
        """A viewer lost the picture. A request that comes too soon waits, and is served in `receive_frame`."""
        if not viewer.is_ended and viewer.requests.receive_request(self._clock()):
            self._supervisor.request_idr()

    def receive_report(self, viewer: Viewer, report: LinkReport) -> None:
        """A viewer told how well the picture gets through."""
        self._adaptation.receive_report(viewer, report)

    # Calls from the supervisor of the source.

    def receive_description(self, description: VideoDescription) -> None:
        """Another stream follows."""
        logger.debug("another stream of pictures: %s", description)
        self._description = description
        self._profile_level_id = description.profile_level_id or self._profile_level_id
        self._hub.receive_stream(can_request_idr=description.can_request_idr)

    def receive_still(self, still: Still) -> None:
        """Give a picture to those who wait for one."""
        for tap in self._taps:
            tap.receive_picture(still)

    def receive_frame(self, frame: EncodedFrame) -> None:
        """Send a picture to all viewers, and request a key frame for those whose request has waited long enough."""
        was_available = self.is_available
        self._follow(StageEvent.PICTURE)
        if not was_available:
            logger.info("the video source has a picture again")
            self._camera_reason = None
            self._on_viewers(self.viewers)
        self._adaptation.receive_frame(frame)
        self._hub.receive_frame(frame)
        now_s = self._clock()
        for viewer in self._viewers.values():
            if frame.is_idr:
                viewer.requests.receive_keyframe()
            elif viewer.requests.is_due(now_s):
                self._supervisor.request_idr()

    def receive_failure(self, error: Exception) -> None:
        """The source failed: viewers wait for it to come back, and taps are closed.

        Several failures in a row for the same reason are logged as one.
        """
        reason = error.camera_reason if isinstance(error, CameraError) else CameraReason.FAILED
        is_news = self._phase not in FAILING or reason is not self._camera_reason
        _log_failure(reason, error, is_news=is_news)
        if self._phase is StagePhase.CLOSED:
            return
        self._camera_reason = reason
        self._follow(StageEvent.FAILURE)
        self._close_taps()
        if is_news:
            self._on_viewers(self.viewers)

    # Private.

    def _follow(self, event: StageEvent) -> None:
        """Change the phase; a retry has a bounded time."""
        before, self._phase = self._phase, follow(self._phase, event)
        if (self._phase is StagePhase.RETRYING) == (before is StagePhase.RETRYING):
            return
        if self._outage_timer is not None:
            self._outage_timer.cancel()
            self._outage_timer = None
        if self._phase is StagePhase.RETRYING:
            self._outage_timer = asyncio.get_running_loop().call_later(OUTAGE_TIMEOUT_S, self._give_up)

    def _give_up(self) -> None:
        """End those who wait for a source that does not come back; whoever comes next has it tried again."""
        self._follow(StageEvent.GIVEN_UP)
        self._close_taps()
        self._end_all()

    def _require_on(self) -> None:
        if self._phase is StagePhase.COVERED:
            raise VisitorError(Refusal.CURTAIN_CLOSED, "the room has closed its curtain")
        if self._phase is StagePhase.CLOSED:
            raise StageError(StageReason.NO_PICTURE, "the server is shutting down")

    def _preload(self) -> None:
        loads: list[Callable[[], object]] = [load_codecs, *(way.load for way in self._ways)]
        for load in loads:
            try:
                load()
            except Exception:
                logger.exception("could not load the video libraries; the first viewer tries again")
        options = self._options
        try:
            self._source_factory().prepare(options.width, options.height, options.fps)
        except Exception:
            logger.exception("could not prepare the video source; the first viewer tries again")
        try:
            prepare_encoder(options)  # last, as it may take seconds, and never returns if a driver hangs in an inquiry
        except Exception:
            logger.exception("could not try the hardware encoder")

    def _people(self) -> list[Viewer]:
        """All viewers but publishers, oldest first."""
        return [viewer for viewer in self._viewers.values() if viewer.role is not ViewerRole.PUBLISHER]

    def _make_room(self, newcomer: Viewer) -> None:
        people = self._people()
        own = [viewer for viewer in people if viewer.owner == newcomer.owner]
        replaced = [viewer for viewer in own if (viewer.view, viewer.way) == (newcomer.view, newcomer.way)]
        unconnected = [viewer for viewer in own if viewer.phase is not ViewerPhase.WATCHING]
        views = {viewer.view for viewer in people}
        if replaced:
            self._end_viewer(replaced[0])
        elif len(unconnected) >= MAX_UNCONNECTED:
            self._end_viewer(unconnected[0])
        elif newcomer.view not in views and len(views) >= self._options.max_viewers:
            self._end_viewer(self._oldest_of(newcomer.person) or self._one_of_several())

    def _oldest_of(self, person: str) -> Viewer | None:
        return next((viewer for viewer in self._people() if viewer.person == person), None)

    def _one_of_several(self) -> Viewer:
        """The oldest connection of the person who has most views; raises StageError where nobody has two."""
        views = {viewer.view: viewer.person for viewer in self._people()}
        ((person, count),) = Counter(views.values()).most_common(1)
        oldest = self._oldest_of(person)
        if count == 1 or oldest is None:
            raise StageError(StageReason.TOO_MANY_VIEWERS)
        return oldest

    def _start(self) -> None:
        self._follow(StageEvent.NEEDED)
        self._supervisor.start()

    def _stop_if_unneeded(self) -> None:
        if not (self._viewers or self._taps):
            self._follow(StageEvent.NOT_NEEDED)
            self._supervisor.stop()

    def _remove_tap(self, tap: Tap) -> None:
        if tap in self._taps:
            self._taps.remove(tap)
            self._stop_if_unneeded()

    def _close_taps(self) -> None:
        for tap in list(self._taps):
            tap.close()

    def _end_all(self) -> None:
        for viewer in list(self._viewers.values()):
            self._end_viewer(viewer)

    async def _end(self, viewers: list[Viewer]) -> None:
        tasks = [self._end_viewer(viewer) for viewer in viewers]
        if closing := {task for task in tasks if task is not None}:
            await asyncio.wait(closing)

    def _end_viewer(self, viewer: Viewer) -> asyncio.Task[None] | None:
        """Remove a viewer now; returns the task that closes its connection, if there is one to close."""
        if viewer.is_ended:
            return None
        was_watching = viewer.phase is ViewerPhase.WATCHING
        viewer.phase = follow_viewer(viewer.phase, ViewerPhase.ENDED)
        del self._viewers[viewer.id]
        if viewer.timer is not None:
            viewer.timer.cancel()
        self._hub.detach(viewer.subscriber)
        self._adaptation.remove(viewer)
        self._stop_if_unneeded()
        if was_watching and viewer.role is not ViewerRole.PUBLISHER:
            watched_s = self._clock() - viewer.watching_since_s
            self._record(ViewerLeft(viewer.id, viewer.owner, watched_s, viewer.view[1]))
            self._on_viewers(self.viewers)
        if viewer.connection is None:
            return None
        closing = asyncio.get_running_loop().create_task(viewer.connection.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing


def _log_failure(reason: CameraReason, error: Exception, *, is_news: bool) -> None:
    """Log one line for a camera whose trouble is understood, and the traceback of any other error."""
    level = logging.ERROR if is_news else logging.DEBUG
    if isinstance(error, CameraError):
        logger.log(level, "the camera has no picture (%s): %s", reason, error)
    else:
        logger.log(level, "the video source failed: %r", error, exc_info=error)
