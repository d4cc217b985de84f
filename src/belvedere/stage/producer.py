"""The thread that reads a video source and encodes it; it runs only while there are viewers.

One `_Run` is one such thread, from turning the source on to turning it off. A camera that hangs in a driver call cannot
be interrupted from Python, so a stopped run is never waited for on the event loop: the next run waits for it, in its
own thread and for a bounded time, and calls of a stopped run are ignored.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from belvedere.stage.encoding.encoder import open_encoder
from belvedere.stage.keyframe_requests import KeyframeBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.encoder import Encoder
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import VideoSource

BACKLOG_FRAMES = 4  # no more pictures are read while the event loop is this far behind
JOIN_TIMEOUT_S = 5.0  # a camera has one user at a time, so a run waits for the last one, unless that hangs


class ProducerListener(Protocol):
    """Called on the event loop with the thread's results; never for a run that was stopped."""

    def receive_frame(self, frame: EncodedFrame) -> None:
        """A picture was encoded."""
        ...

    def receive_failure(self, error: Exception) -> None:
        """The source or the encoder raised; the source is closed and the thread has ended. `start` tries again."""
        ...


class _Run(threading.Thread):
    """One thread, from turning the source on to turning it off.

    Attributes:
        outbox: encoded frames for the event loop; appended here and popped there, which deque allows without a lock.
        alive_s: when the thread last began to read a picture.
    """

    def __init__(
        self,
        source_factory: Callable[[], VideoSource],
        encoder_factory: Callable[[StageOptions], Encoder],
        options: StageOptions,
        clock: Callable[[], float],
        previous: _Run | None,
    ) -> None:
        super().__init__(name="stage-encoder", daemon=True)
        self.stopping = threading.Event()
        self.wants_idr = threading.Event()
        self.outbox: deque[EncodedFrame] = deque()
        self.alive_s = clock()
        self.wake: Callable[[], None] = self.stopping.set
        self.fail: Callable[[Exception], None] = lambda _error: None
        self._source_factory = source_factory
        self._encoder_factory = encoder_factory
        self._options = options
        self._clock = clock
        self._previous = previous
        self._keyframes = KeyframeBudget()

    def run(self) -> None:
        try:
            if self._previous is not None:
                self._previous.join(JOIN_TIMEOUT_S)
                self._previous = None
            self._produce(self._source_factory())
        except Exception as error:  # noqa: BLE001 (any error of a source ends the picture for the viewers)
            self.fail(error)

    def _produce(self, source: VideoSource) -> None:
        options = self._options
        source.open(options.width, options.height, options.fps)
        try:
            encoder = self._encoder_factory(options)
            interval_s = 1 / options.fps
            due_s = self._clock()
            while not self.stopping.wait(max(0.0, due_s - self._clock())):
                now = self._clock()
                # After a delay the rhythm starts again from now: catching up would encode a burst of pictures.
                due_s = max(due_s + interval_s, now)
                self.alive_s = now
                if len(self.outbox) < BACKLOG_FRAMES:
                    source.read(now, encoder.picture)
                    self._encode(encoder, now)
        finally:
            source.close()

    def _encode(self, encoder: Encoder, at_s: float) -> None:
        wants_idr = self.wants_idr.is_set() and self._keyframes.take(at_s)
        if wants_idr:
            self.wants_idr.clear()
        frame = encoder.encode(at_s, wants_idr=wants_idr)
        if frame is None:
            return
        if frame.is_idr:
            self._keyframes.receive_keyframe(at_s)
        self.outbox.append(frame)
        self.wake()


class PictureProducer(Protocol):
    """Reads and encodes pictures; `Producer` documents the methods."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None: ...  # noqa: D102 (documented there)

    def stop(self) -> None: ...  # noqa: D102 (documented there)

    def abandon(self) -> None: ...  # noqa: D102 (documented there)

    def request_idr(self) -> None: ...  # noqa: D102 (documented there)

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
        self._run: _Run | None = None
        self._last: _Run | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Turn on, if it is off; the listener is called on `loop`."""
        if self._run is not None:
            return
        run = _Run(self._source_factory, self._encoder_factory, self._options, self._clock, self._last)
        self._run = self._last = run
        run.wake = lambda: _call(loop, run, self._collect, run)
        run.fail = lambda error: _call(loop, run, self._receive_failure, run, error)
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
            self._run.wants_idr.set()

    def cut(self) -> None:
        """Forget all encoded frames that the listener has not received."""
        if self._run is not None:
            self._run.outbox.clear()

    def silent_s(self) -> float:
        """For how many seconds the source has not returned; 0 when it is off."""
        return 0.0 if self._run is None else max(0.0, self._clock() - self._run.alive_s)

    async def wait_off(self) -> bool:
        """After `stop`, wait until the source is closed, at most `JOIN_TIMEOUT_S`; returns whether it is."""
        if self._last is None:
            return True
        await asyncio.to_thread(self._last.join, JOIN_TIMEOUT_S)
        return not self._last.is_alive()

    def _collect(self, run: _Run) -> None:
        while run.outbox:
            frame = run.outbox.popleft()
            if run is self._run:
                self._listener.receive_frame(frame)

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
