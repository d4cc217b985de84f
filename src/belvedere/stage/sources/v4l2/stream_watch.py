"""Judges how a camera delivers: nothing for too long, far fewer pictures than promised, or always the same. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST_PICTURE_S = 5.0  # capture sticks look for the signal's format first
SILENCE_S = 2.0  # afterwards; a camera that adapts its exposure to the dark is not silent for so long
RATE_WINDOW_S = 3.0  # how long a rate is measured
COLLAPSE = 0.5  # of the promised rate
SAMPLE_S = 0.25  # how often a picture is compared with the one before
TOO_MANY = 1.1  # times the wanted rate; a camera that is a little quicker must not lose a picture now and then
UNCHANGED_S = 1.0  # real cameras have noise: no two of their pictures are alike


@dataclass(slots=True)
class StreamWatch:
    """Watches one stream, from when it was started.

    Attributes:
        started_s: when.
        promised: pictures per second that the driver promised; 0 if it does not tell.
        is_slow, is_unchanged: what was found last, so that it is told once.
    """

    started_s: float
    promised: float
    is_slow: bool = False
    is_unchanged: bool = False
    _heard_s: float | None = None
    _window_s: float = field(init=False)
    _in_window: int = 0
    _sampled_s: float = field(init=False)
    _sample: int | None = None
    _changed_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._window_s = self._sampled_s = self._changed_s = self.started_s

    def is_silent(self, now_s: float) -> bool:
        """Whether no picture has come for so long that there is no signal."""
        if self._heard_s is None:
            return now_s - self.started_s > FIRST_PICTURE_S
        return now_s - self._heard_s > SILENCE_S

    def receive_pictures(self, count: int, now_s: float) -> float | None:
        """Pictures came, also those that nobody took; returns the rate once it has collapsed, and when it is back."""
        if self._heard_s is None:
            self._window_s = now_s  # until the first picture there is no rate
        self._heard_s = now_s
        self._in_window += count
        elapsed_s = now_s - self._window_s
        if elapsed_s < RATE_WINDOW_S or not self.promised:
            return None
        rate = self._in_window / elapsed_s
        self._window_s, self._in_window = now_s, 0
        was_slow, self.is_slow = self.is_slow, rate < self.promised * COLLAPSE
        return rate if was_slow != self.is_slow else None

    def wants_sample(self, now_s: float) -> bool:
        """Whether a picture should be compared now: comparing all would cost too much."""
        return now_s - self._sampled_s >= SAMPLE_S

    def receive_sample(self, checksum: int, now_s: float) -> bool:
        """A picture's checksum; returns whether pictures have just been found not to change any more."""
        self._sampled_s = now_s
        if checksum != self._sample:
            self._sample, self._changed_s, self.is_unchanged = checksum, now_s, False
            return False
        was_unchanged, self.is_unchanged = self.is_unchanged, now_s - self._changed_s > UNCHANGED_S
        return self.is_unchanged and not was_unchanged


class FrameDecimator:
    """Leaves pictures out, evenly, if a camera promises more than are wanted.

    Where nobody promises a rate, `frame_output` bounds it instead, which leaves pictures out unevenly.

    Args:
        wanted: pictures per second.
        promised: the camera's; 0 if unknown, and nothing is left out then.
    """

    def __init__(self, wanted: float, promised: float) -> None:
        self._interval_s = 1 / wanted if promised > wanted * TOO_MANY else 0.0
        self._due_s = 0.0

    def takes(self, captured_s: float) -> bool:
        """Whether this picture is to be used."""
        if captured_s < self._due_s - self._interval_s / 4:
            return False
        is_on_time = captured_s < self._due_s + self._interval_s
        self._due_s = (self._due_s if is_on_time else captured_s) + self._interval_s
        return True
