"""Keeps the source running while a picture is needed: one that fails or hangs is started again, later each time."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.producer import PictureProducer, ProducerListener
    from belvedere.stage.sources.source import VideoDescription
    from belvedere.stage.tap import Still

RETRY_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 4.0)  # after the first failure, the second, and so on
REFUSED_DELAY_S = 30.0  # cameras lock a user out after a few wrong passwords, for minutes
STEADY_S = 10.0  # a source that ran for so long begins with the first delay again
STALL_TIMEOUT_S = 20.0  # longer than a camera takes to turn on
STALL_CHECK_S = 2.0  # a tenth of it


class SourceSupervisor:
    """Starts and stops the producer, and starts it again. All methods belong to the event loop and return at once.

    The listener hears of every failure; the next attempt follows by itself until `stop`. Delays outlast a `stop`, so
    that viewers who come and go do not turn a broken camera on again and again.
    """

    def __init__(
        self, create_producer: Callable[[ProducerListener], PictureProducer], listener: ProducerListener
    ) -> None:
        self._producer = create_producer(self)
        self._listener = listener
        self._is_wanted = False
        self._failures = 0
        self._not_before_at = -math.inf
        self._started_at = 0.0
        self._retry: asyncio.TimerHandle | None = None
        self._stall_check: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Turn the source on, as soon as the delay since the last failure is over, and keep it on."""
        if self._is_wanted:
            return
        self._is_wanted = True
        loop = asyncio.get_running_loop()
        if loop.time() >= self._not_before_at:
            self._try()
        else:
            self._retry = loop.call_at(self._not_before_at, self._try)

    def stop(self) -> None:
        """Turn the source off soon; the listener is not called any more."""
        self._is_wanted = False
        self._cancel_timers()
        self._producer.stop()

    def request_idr(self) -> None:
        """Make the next picture an IDR, or the first one for which the budget of all viewers allows it."""
        self._producer.request_idr()

    def request_still(self) -> None:
        """Have the next picture copied for the listener's `receive_still`, once the source is on."""
        self._producer.request_still()

    def set_target(self, target: EncodingTarget) -> None:
        """Have the pictures encoded so from the next one on."""
        self._producer.set_target(target)

    def cut(self) -> None:
        """Forget all frames that are on their way from the source to the listener."""
        self._producer.cut()

    async def wait_off(self) -> bool:
        """After `stop`, wait for a bounded time until the source is closed; returns whether it is."""
        return await self._producer.wait_off()

    def receive_description(self, description: VideoDescription) -> None:
        """The frames that follow are of this kind."""
        self._listener.receive_description(description)

    def receive_still(self, still: Still) -> None:
        """A requested picture."""
        self._listener.receive_still(still)

    def receive_frame(self, frame: EncodedFrame) -> None:
        """A picture was encoded."""
        self._listener.receive_frame(frame)

    def receive_failure(self, error: Exception) -> None:
        """The source failed and is off: try again later, unless the listener stops it now."""
        self._cancel_timers()
        loop = asyncio.get_running_loop()
        if loop.time() - self._started_at >= STEADY_S:
            self._failures = 0
        delay_s = RETRY_DELAYS_S[min(self._failures, len(RETRY_DELAYS_S) - 1)]
        if isinstance(error, CameraError) and error.camera_reason is CameraReason.REFUSED:
            delay_s = REFUSED_DELAY_S
        self._failures += 1
        self._not_before_at = loop.time() + delay_s
        self._retry = loop.call_at(self._not_before_at, self._try)
        self._listener.receive_failure(error)

    def _try(self) -> None:
        loop = asyncio.get_running_loop()
        self._retry = None
        self._started_at = loop.time()
        self._producer.start(loop)
        self._check_later()

    def _check_later(self) -> None:
        self._stall_check = asyncio.get_running_loop().call_later(STALL_CHECK_S, self._check_stall)

    def _check_stall(self) -> None:
        """Abandon a source that hangs: its thread cannot be interrupted."""
        if self._producer.silent_s() <= STALL_TIMEOUT_S:
            self._check_later()
            return
        self._producer.abandon()
        problem = f"the camera has delivered nothing for {STALL_TIMEOUT_S:.0f} s: look whether it is on"
        self.receive_failure(CameraError(CameraReason.NO_SIGNAL, problem))

    def _cancel_timers(self) -> None:
        for timer in (self._retry, self._stall_check):
            if timer is not None:
                timer.cancel()
        self._retry = self._stall_check = None
