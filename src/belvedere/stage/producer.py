"""The thread that runs a video source and encodes what it captures; it exists only while a picture is needed.

One `_Run` is one such thread, from turning the source on to turning it off. A camera that hangs in a driver call cannot
be interrupted from Python, so a stopped run is never waited for on the event loop: the next run waits for it, in its
own thread and for a bounded time, and calls of a stopped run are ignored.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.encoding.encoder import open_encoder
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.sink import SourceSink, StillDelivery
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import VideoSource
    from belvedere.stage.tap import Still

JOIN_TIMEOUT_S = 5.0  # a camera has one user at a time, so a run waits for the last one, unless that hangs


class ProducerListener(Protocol):
    """Called on the event loop with the thread's results; never for a run that was stopped."""

    def receive_description(self, description: VideoDescription) -> None:
        """The frames that follow are of this kind."""
        ...

    def receive_frame(self, frame: EncodedFrame) -> None:
        """A picture was encoded, or came encoded."""
        ...

    def receive_still(self, still: Still) -> None:
        """A picture for `request_still`."""
        ...

    def receive_failure(self, error: Exception) -> None:
        """The source or the encoder raised; the source is closed and the thread has ended. `start` tries again."""
        ...


class _Run(threading.Thread):
    """One thread, from turning the source on to turning it off."""

    def __init__(
        self,
        source_factory: Callable[[], VideoSource],
        create_sink: Callable[[Callable[[], None]], SourceSink],
        wanted: VideoDescription,
        previous: _Run | None,
    ) -> None:
        super().__init__(name="stage-encoder", daemon=True)
        self.stopping = threading.Event()
        self.wake: Callable[[], None] = self.stopping.set
        self.fail: Callable[[Exception], None] = lambda _error: None
        self.sink = create_sink(self._wake)
        self._source_factory = source_factory
        self._wanted = wanted
        self._previous = previous

    def run(self) -> None:
        try:
            if self._previous is not None:
                self._previous.join(JOIN_TIMEOUT_S)
                self._previous = None
            if self.stopping.is_set():  # viewers who come and go must not turn the camera on once for each
                return
            self._source_factory().run(self._wanted, self.sink, self.stopping)
        except Exception as error:  # noqa: BLE001 (any error of a source ends the picture for the viewers)
            self.fail(error)
        else:
            if not self.stopping.is_set():
                self.fail(CameraError(CameraReason.ENDED, "the video source ended"))
        finally:
            self.sink.close()

    def _wake(self) -> None:
        self.wake()


class PictureProducer(Protocol):
    """Reads and encodes pictures; `Producer` documents the methods."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None: ...  # noqa: D102 (documented there)

    def stop(self) -> None: ...  # noqa: D102 (documented there)

    def abandon(self) -> None: ...  # noqa: D102 (documented there)

    def request_idr(self) -> None: ...  # noqa: D102 (documented there)

    def request_still(self) -> None: ...  # noqa: D102 (documented there)

    def set_target(self, target: EncodingTarget) -> None: ...  # noqa: D102 (documented there)

    def cut(self) -> None: ...  # noqa: D102 (documented there)

    def silent_s(self) -> float: ...  # noqa: D102 (documented there)

    async def wait_off(self) -> bool: ...  # noqa: D102 (documented there)


class ProducerFactory(Protocol):
    """Creates the one producer of a stage, turned off."""

    def __call__(
        self,
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        clock: Callable[[], float],
        listener: ProducerListener,
        /,
    ) -> PictureProducer:
        """Create a producer that gets its sources from `source_factory`."""
        ...


class Producer:
    """Turns the source on and off. All methods belong to the event loop; all but `wait_off` return at once."""

    def __init__(
        self,
        source_factory: Callable[[], VideoSource],
        encoder_factory: Callable[[StageOptions], Encoder],
        options: StageOptions,
        clock: Callable[[], float],
        listener: ProducerListener,
    ) -> None:
        self._source_factory = source_factory
        self._encoder_factory = encoder_factory
        self._options = options
        self._clock = clock
        self._listener = listener
        self._is_still_requested = False
        self._target: EncodingTarget | None = None
        self._run: _Run | None = None
        self._last: _Run | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Turn on, if it is off; the listener is called on `loop`."""
        if self._run is not None:
            return
        options = self._options
        wanted = VideoDescription(VideoFormat.RAW, options.width, options.height, options.fps)
        run = _Run(self._source_factory, self._create_sink, wanted, self._last)
        self._run = self._last = run
        run.wake = lambda: _call(loop, run, self._collect, run)
        run.fail = lambda error: _call(loop, run, self._receive_failure, run, error)
        run.sink.target = self._target
        if self._is_still_requested:
            run.sink.wants_still.set()
        run.start()

    def stop(self) -> None:
        """Turn off soon; the listener is not called for this run any more."""
        if self._run is not None:
            self._run.stopping.set()
            self._run = None

    def abandon(self) -> None:
        """Turn off, and do not let the next `start` wait for a source that hangs."""
        self.stop()
        self._last = None

    def request_idr(self) -> None:
        """Make the next picture an IDR, or the first one for which the budget of all viewers allows it."""
        if self._run is not None:
            self._run.sink.wants_idr.set()

    def request_still(self) -> None:
        """Have the next picture, or the next IDR of a source that encodes, delivered to `receive_still`.

        If the source is off, it is the first picture of the next run.
        """
        self._is_still_requested = True
        if self._run is not None:
            self._run.sink.wants_still.set()

    def set_target(self, target: EncodingTarget) -> None:
        """Have the pictures encoded so from the next one on; what a camera has encoded stays as it is."""
        self._target = target
        if self._run is not None:
            self._run.sink.target = target

    def cut(self) -> None:
        """Forget all encoded frames that the listener has not received."""
        if self._run is not None:
            self._collect(self._run, is_cutting=True)

    def silent_s(self) -> float:
        """For how many seconds the source has not returned; 0 when it is off."""
        return 0.0 if self._run is None else max(0.0, self._clock() - self._run.sink.alive_s)

    async def wait_off(self) -> bool:
        """After `stop`, wait until the source is closed, at most `JOIN_TIMEOUT_S`; returns whether it is."""
        if self._last is None:
            return True
        await asyncio.to_thread(self._last.join, JOIN_TIMEOUT_S)
        return not self._last.is_alive()

    def _create_sink(self, wake: Callable[[], None]) -> SourceSink:
        return SourceSink(self._encoder_factory, self._options, self._clock, wake)

    def _collect(self, run: _Run, *, is_cutting: bool = False) -> None:
        while run.sink.outbox:
            delivery = run.sink.outbox.popleft()
            if run is not self._run:
                continue
            match delivery:
                case VideoDescription():
                    self._listener.receive_description(delivery)
                case EncodedFrame() if not is_cutting:
                    self._listener.receive_frame(delivery)
                case StillDelivery(still=still):  # whoever waits for it knows what was cut, and requests another
                    self._is_still_requested = False
                    self._listener.receive_still(still)
                case _:
                    pass

    def _receive_failure(self, run: _Run, error: Exception) -> None:
        if run is self._run:
            self._run = None
            self._listener.receive_failure(error)


def _call(loop: asyncio.AbstractEventLoop, run: _Run, function: Callable[..., None], *arguments: object) -> None:
    """Call on the event loop, from the thread; if the loop is closed, end the run."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        run.stopping.set()


def create_producer(
    source_factory: Callable[[], VideoSource],
    options: StageOptions,
    clock: Callable[[], float],
    listener: ProducerListener,
) -> Producer:
    """Create the producer that a stage uses."""
    return Producer(source_factory, open_encoder, options, clock, listener)
