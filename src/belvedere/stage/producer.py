"""The thread that reads a source and encodes it, on only while somebody watches."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from belvedere.stage.keyframe_requests import KeyframeBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoder import Encoder
    from belvedere.stage.hub import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.source import VideoSource

BACKLOG_FRAMES = 4  # an event loop that is this far behind gets no more to do
JOIN_TIMEOUT_S = 5.0  # a camera serves one user at a time: wait for the last one, but not for one that hangs


class ProducerListener(Protocol):
    """Told, on the event loop, what the thread did; never by a thread that was stopped."""

    def receive_frame(self, frame: EncodedFrame) -> None:
        """A picture is encoded."""
        ...

    def receive_failure(self, error: Exception) -> None:
        """Source or encoder raised, the source is closed and the thread has ended; `start` tries anew."""
        ...


class _Run(threading.Thread):
    """One stretch of pictures, from turning the source on to turning it off."""

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
            self._watch(self._source_factory())
        except Exception as error:  # noqa: BLE001 (whatever a source raises, the viewers are told)
            self.fail(error)

    def _watch(self, source: VideoSource) -> None:
        options = self._options
        source.open(options.width, options.height, options.fps)
        try:
            encoder = self._encoder_factory(options)
            interval_s = 1 / options.fps
            due_s = self._clock()
            while not self.stopping.wait(max(0.0, due_s - self._clock())):
                now = self._clock()
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


class Producer:
    """Turns the source on and off; all methods are for the event loop's thread and return at once."""

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
        """Begin if it is off; what comes of it is told on `loop`."""
        if self._run is not None:
            return
        run = _Run(self._source_factory, self._encoder_factory, self._options, self._clock, self._last)
        self._run = self._last = run
        run.wake = lambda: _call(loop, run, self._collect, run)
        run.fail = lambda error: _call(loop, run, self._receive_failure, run, error)
        run.start()

    def stop(self) -> None:
        """Turn off soon; nothing more is told of this stretch."""
        if self._run is not None:
            self._run.stopping.set()
            self._run = None

    def abandon(self) -> None:
        """Turn off a source that hangs: the next `start` will not wait for it."""
        self.stop()
        self._last = None

    def request_idr(self) -> None:
        """Make the next picture an IDR, or the first that the budget for all viewers allows."""
        if self._run is not None:
            self._run.wants_idr.set()

    def silent_s(self) -> float:
        """For how long the source has not answered; 0 when it is off."""
        return 0.0 if self._run is None else max(0.0, self._clock() - self._run.alive_s)

    async def wait_off(self) -> bool:
        """After `stop`: wait until the source is closed, for a while; returns whether it is."""
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
    """Call on the event loop; where it is closed the run has nobody left to work for."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        run.stopping.set()
