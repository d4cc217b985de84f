"""Fits the picture to the viewers' connections: their reports go to the rate control, its decisions to hub and encoder.

A source whose H.264 is passed on cannot be made smaller; of it, too, those who are left behind get key frames only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.stage.encoding.rate_control import RateControl

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.rate_control import EncodingTarget, ViewerRate
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.viewer import LinkReport, Viewer

KEYFRAMES_APART_S = 2.0  # for viewers who get nothing else: with more, the others would notice


class Adaptation:
    """The rates of all viewers who watch. It belongs to the event loop.

    Args:
        options: size, rate, and the bounds of the bitrate.
        clock: the server's monotonic clock.
        set_target: tells the encoder.
        request_idr: requests a key frame, for viewers who get nothing else.
    """

    def __init__(
        self,
        options: StageOptions,
        clock: Callable[[], float],
        set_target: Callable[[EncodingTarget], None],
        request_idr: Callable[[], None],
    ) -> None:
        self._control = RateControl(
            options.width * options.height * options.fps,
            floor=options.min_bitrate_kbps * 1000,
            ceiling=options.bitrate_kbps * 1000,
        )
        self._clock = clock
        self._set_target = set_target
        self._request_idr = request_idr
        self._rates: dict[Viewer, ViewerRate] = {}
        self._target: EncodingTarget | None = None
        self._keyframe_s = float("-inf")

    def add(self, viewer: Viewer) -> None:
        """A viewer begins to watch."""
        self._rates[viewer] = self._control.add(viewer.owner)
        self._apply(self._control.target)

    def remove(self, viewer: Viewer) -> None:
        """A viewer left, or never watched."""
        rate = self._rates.pop(viewer, None)
        if rate is not None:
            self._control.remove(rate)

    def receive_report(self, viewer: Viewer, report: LinkReport) -> None:
        """A viewer tells how well the picture gets through. One who does not watch is ignored."""
        rate = self._rates.get(viewer)
        if rate is None:
            return
        now_s = self._clock()
        if report.capacity_bits_per_s is not None:
            rate.receive_capacity(report.capacity_bits_per_s, now_s)
        if report.loss is not None:
            rate.receive_loss(report.loss, now_s)
        if report.round_trip_s is not None:
            rate.receive_round_trip(report.round_trip_s, now_s)

    def receive_frame(self, frame: EncodedFrame) -> None:
        """A picture is about to be sent to all."""
        now_s = self._clock()
        self._apply(self._control.receive_frame(len(frame.data), now_s))
        for viewer, rate in self._rates.items():
            viewer.subscriber.takes_keyframes_only = rate.is_left_behind
        is_due = now_s - self._keyframe_s >= KEYFRAMES_APART_S
        if frame.is_idr:
            self._keyframe_s = now_s
        elif is_due and any(rate.is_left_behind for rate in self._rates.values()):
            self._keyframe_s = now_s
            self._request_idr()

    def _apply(self, target: EncodingTarget) -> None:
        if target != self._target:
            self._target = target
            self._set_target(target)
