"""Decides how much the one encode for all viewers may send, by what they report. Pure: time is an argument.

Each viewer has a rate of its own. It falls by a factor when the viewer reports that less arrives than is sent, and
rises by a constant amount a second while nothing is wrong. Whoever comes first begins at half of the ceiling and rises
to it in a second or two, unless something is wrong; whoever comes later begins with what the others get.

The encoder follows the slowest viewer, with one exception: a person who can take less than half of what the next slower
one can is not followed; a quarter of all persons at most, but one in any case. They are left behind: they are sent key
frames only, which arrive by a slow connection too, and are tried again when their rate has risen to that of the others.
So one viewer with a bad connection, or one that lies, costs the others at most half of the bitrate, and 0 bit/s costs
them nothing.

Below certain rates a picture of full size would be blurred, so the encoder gets a smaller one, and below the last of
them every second picture. Both come back later than they went, and at a higher rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

EVALUATED_S = 0.1  # between two decisions
FOLLOWED = 0.5  # of the next slower person's rate: who can take less is left behind
FOLLOWED_AGAIN = 0.95
LEFT_BEHIND = 4  # one person of so many may be

USABLE = 0.85  # of a reported capacity: the rest is for retransmissions, headers and key frames
SENT_OVER_S = 0.5  # what is sent is averaged over about this time
TOLD = 0.95  # of what is sent: a capacity below it means that packets queue up
USED = 0.6  # of a rate: with less, the connection has not shown that it carries the rate
START = 0.5  # of the ceiling: at full size, and a narrow link's queue is not full before its viewer can say so
STARTING_RISE_S = 3.0  # from nothing to the ceiling, until something is wrong for the first time,
STARTING_S = 6.0  # which less shows for so long than later, as every rise may be one too many
STARTING_LOSS = 0.04
STARTING_QUEUED_S = 0.08
RISE_S = 20.0  # from nothing to the ceiling,
RISE_SHARE = 0.15  # but not more than this share of the rate in a second: a narrow link's queue fills sooner
RISE_AFTER_S = 2.0  # after the last fall
DRAINED_S = 6.0  # after a fall, until the rate may rise above what was carried: what has queued up takes a while
DOUBLED_S = 10.0  # and while less is sent, which proves nothing, that limit is doubled in this time,
FORGOTTEN_S = 60.0  # and in the end there is none
FALL_S = 0.8  # between two falls: the effect of one is to be seen before the next
LOSS_FALL_S = 1.5  # for lost packets: reports are about the time before, and a queue that overflowed has to drain
FALL_FACTOR = 0.4  # at most: one wrong report is not to be believed altogether
NEW_S = 1.5  # a viewer who gets all only since then cannot tell how much that is
TOLERATED_LOSS = 0.10  # below it, packets are retransmitted and the rate stays, as in WebRTC's own control
HARMLESS_LOSS = 0.02
CONGESTION_LOSS = 0.2  # above it the link is full; below it packets may as well be lost by chance, as on a bad Wi-Fi
QUEUED_S = 0.15  # a round trip that is longer by this than the shortest means that packets wait in a queue
QUEUED_FACTOR = 0.8
SHORTEST_S = 30.0  # a new path may be longer: the shortest round trip is that of the last 30 to 60 s

SIZES = (Fraction(1), Fraction(3, 4), Fraction(1, 2))  # of width and height
SHARP_BITS = 0.04  # for each pixel of a picture; with less, a smaller picture looks better
SHRUNK = 0.5  # of the ceiling: above that the picture keeps its size, as its owner chose both
UP_FACTOR = 1.3
UP_AFTER_S = 4.0


@dataclass(frozen=True, slots=True)
class EncodingTarget:
    """What the encoder is to make.

    Attributes:
        bits_per_s: of the encoded pictures.
        size: width and height, as a share of those of the source.
        every: 1 for every picture, 2 for every second one.
    """

    bits_per_s: int
    size: Fraction = SIZES[0]
    every: int = 1


class _SentRate:
    """How much has been sent lately, in bits per second."""

    def __init__(self) -> None:
        self.bits_per_s = 0.0
        self._at_s: float | None = None

    def receive_frame(self, bits: int, now_s: float) -> None:
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        self._at_s = now_s
        self.bits_per_s = self.bits_per_s * math.exp(-passed_s / SENT_OVER_S) + bits / SENT_OVER_S


class ViewerRate:
    """What one viewer can take, by its reports. One who reports nothing is soon thought to be able to take all.

    Attributes:
        bits_per_s: at the moment.
        owner: the person who watches.
        is_left_behind: it is to be sent key frames only.
    """

    def __init__(self, owner: str, sent: _SentRate, start: float, floor: float, ceiling: float) -> None:
        self.owner = owner
        self.bits_per_s = start
        self.is_left_behind = False
        self._sent = sent
        self._floor = floor
        self._ceiling = ceiling
        self._carried = math.inf
        self._loss = 0.0
        self._full_since_s: float | None = None
        self._fell_s = -math.inf
        self._ticked_s: float | None = None
        self._began_s: float | None = None  # when it was first sent a picture
        self._round_trips = _Shortest()

    def receive_capacity(self, bits_per_s: float, now_s: float) -> None:
        """So much arrives, or would arrive, as far as the viewer or its connection can tell.

        Receivers cannot tell of much more than they are sent, which may be little for other reasons. So only a capacity
        below what is sent means anything.
        """
        is_new = self._full_since_s is None or now_s - self._full_since_s < NEW_S
        if 0 <= bits_per_s < TOLD * self._sent.bits_per_s and self._is_used() and not is_new:
            self._fall(bits_per_s, USABLE * bits_per_s, now_s)

    def receive_loss(self, share: float, now_s: float) -> None:
        """This share of the packets since the last report did not arrive."""
        if not 0 <= share <= 1:
            return
        self._loss = share
        is_starting = self._is_starting(now_s)
        tolerated = STARTING_LOSS if is_starting else TOLERATED_LOSS
        if share > tolerated and now_s - self._fell_s >= LOSS_FALL_S:
            carried = min(self.bits_per_s, self._sent.bits_per_s) * (1 - share)
            is_full = share > CONGESTION_LOSS or is_starting
            bits_per_s = USABLE * carried if is_full else self.bits_per_s * (1 - share / 2)
            self._fall(carried, bits_per_s, now_s)

    def receive_round_trip(self, seconds: float, now_s: float) -> None:
        """A packet and its report took so long."""
        if not 0 <= seconds < math.inf:
            return
        shortest_s = self._round_trips.shortest_s(seconds, now_s)
        queued_s = STARTING_QUEUED_S if self._is_starting(now_s) else QUEUED_S
        if seconds > shortest_s + queued_s and now_s - self._fell_s >= seconds:
            self._fall(self._sent.bits_per_s, self.bits_per_s * QUEUED_FACTOR, now_s)

    def tick(self, now_s: float) -> None:
        """Rise by what the time since the last tick allows."""
        if self.is_left_behind:
            self._full_since_s = None
        elif self._full_since_s is None:
            self._full_since_s = now_s
        if self._began_s is None:
            self._began_s = now_s
        passed_s = 0.0 if self._ticked_s is None else min(1.0, max(0.0, now_s - self._ticked_s))
        self._ticked_s = now_s
        if self._loss > HARMLESS_LOSS or now_s - self._fell_s < RISE_AFTER_S:
            return
        per_s = min(self._ceiling / RISE_S, RISE_SHARE * self.bits_per_s)
        if self._is_starting(now_s):
            per_s = self._ceiling / STARTING_RISE_S
        risen = min(self.bits_per_s + per_s * passed_s, self._ceiling, self._limit(now_s))
        self.bits_per_s = max(self.bits_per_s, risen)

    def _is_starting(self, now_s: float) -> bool:
        """Whether the viewer is new, and nothing was wrong so far."""
        is_new = self._began_s is None or now_s - self._began_s < STARTING_S
        return is_new and self._fell_s == -math.inf

    def _limit(self, now_s: float) -> float:
        """How far the rate may rise without showing that the connection carries it."""
        since_s = now_s - self._fell_s
        if self.is_left_behind or since_s >= (DRAINED_S if self._is_used() else FORGOTTEN_S):
            return math.inf
        return USABLE * self._carried * 2 ** (since_s / DOUBLED_S)

    def _is_used(self) -> bool:
        return self._sent.bits_per_s >= USED * self.bits_per_s

    def _fall(self, carried: float, bits_per_s: float, now_s: float) -> None:
        """The connection carries only so much, and this is the rate to fall to."""
        if now_s - self._fell_s < FALL_S:
            return
        self._carried = max(carried, FALL_FACTOR * self.bits_per_s)
        self.bits_per_s = min(self.bits_per_s, max(bits_per_s, FALL_FACTOR * self.bits_per_s, self._floor))
        self._fell_s = now_s


class RateControl:
    """Decides the target of the encoder for all viewers.

    Args:
        pixels_per_s: width x height x fps of the picture at full size and rate.
        floor, ceiling: the least and the most that is sent, in bits per second.
    """

    def __init__(self, pixels_per_s: float, *, floor: float, ceiling: float) -> None:
        self._floor = min(floor, ceiling)
        self._ceiling = ceiling
        self._steps = _steps(min(SHARP_BITS * pixels_per_s, SHRUNK * ceiling))
        self._viewers: list[ViewerRate] = []
        self._sent = _SentRate()
        self._step = 0
        self._above_since_s: float | None = None
        self._decided_s = -math.inf
        self._target = EncodingTarget(round(ceiling))

    @property
    def target(self) -> EncodingTarget:
        """What the encoder is to make now."""
        return self._target

    def add(self, owner: str) -> ViewerRate:
        """A viewer comes; the first changes the target."""
        if not self._viewers:
            self._step, self._above_since_s = 0, None
            self._target = EncodingTarget(round(max(self._floor, START * self._ceiling)))
        rate = ViewerRate(owner, self._sent, self._target.bits_per_s, self._floor, self._ceiling)
        self._viewers.append(rate)
        return rate

    def remove(self, rate: ViewerRate) -> None:
        """A viewer left."""
        if rate in self._viewers:
            self._viewers.remove(rate)

    def receive_frame(self, size_bytes: int, now_s: float) -> EncodingTarget:
        """A picture of this size was encoded; returns what the encoder is to make from now on."""
        self._sent.receive_frame(size_bytes * 8, now_s)
        if now_s - self._decided_s >= EVALUATED_S:
            self._decided_s = now_s
            for rate in self._viewers:
                rate.tick(now_s)
            bits_per_s = self._follow()
            self._choose_step(bits_per_s, now_s)
            size, every, _ = self._steps[self._step]
            self._target = EncodingTarget(round(bits_per_s), size, every)
        return self._target

    def _follow(self) -> float:
        """Decide who is left behind; returns the rate of the slowest of the others."""
        persons: dict[str, list[ViewerRate]] = {}
        for rate in self._viewers:
            persons.setdefault(rate.owner, []).append(rate)
        ordered = sorted((min(rate.bits_per_s for rate in rates), owner) for owner, rates in persons.items())
        if not ordered:
            return self._ceiling
        left_behind = 0
        for index in range(min(max(1, len(ordered) // LEFT_BEHIND), len(ordered) - 1)):
            (bits_per_s, owner), (next_bits_per_s, _) = ordered[index : index + 2]
            share = FOLLOWED_AGAIN if persons[owner][0].is_left_behind else FOLLOWED
            if bits_per_s < share * next_bits_per_s:
                left_behind = index + 1
        for index, (_, owner) in enumerate(ordered):
            for rate in persons[owner]:
                rate.is_left_behind = index < left_behind
        return ordered[left_behind][0]

    def _choose_step(self, bits_per_s: float, now_s: float) -> None:
        while bits_per_s < self._steps[self._step][2]:
            self._step += 1
            self._above_since_s = None
        if self._step == 0 or bits_per_s < UP_FACTOR * self._steps[self._step - 1][2]:
            self._above_since_s = None
        elif self._above_since_s is None:
            self._above_since_s = now_s
        elif now_s - self._above_since_s >= UP_AFTER_S:
            self._step -= 1
            self._above_since_s = None


class _Shortest:
    """The shortest round trip of the last 30 to 60 seconds."""

    def __init__(self) -> None:
        self._current = self._previous = math.inf
        self._began_s = -math.inf

    def shortest_s(self, seconds: float, now_s: float) -> float:
        if now_s - self._began_s >= SHORTEST_S:
            self._previous, self._current, self._began_s = self._current, math.inf, now_s
        self._current = min(self._current, seconds)
        return min(self._current, self._previous)


def _steps(full: float) -> list[tuple[Fraction, int, float]]:
    """Size, how many pictures, and the least bitrate of each step, if the full size needs `full`; the best first."""
    return [*((size, 1, full * float(size**2)) for size in SIZES), (SIZES[-1], 2, 0.0)]
