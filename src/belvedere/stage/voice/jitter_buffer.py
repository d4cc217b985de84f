"""Puts one visitor's packets in order, and decides what is played and when more or less must wait. Pure.

Packets come early, late, twice or never, at the pace of a clock that is not the loudspeaker's. What counts is a
packet's slack: how many samples would have been played before it was needed, when it arrived. If nearly all packets of
the last seconds had more than a margin, less needs to wait, and samples are left out; if some came too late, samples
are put in. That follows both the network's jitter and the clocks' drift, and neither is measured. Where packets are
lost, the margin grows by a packet, because what was lost is in the one that follows. Whatever happens, nothing waits
for longer than MAX_WAIT.

    IDLE --a packet--> PLAYING --nothing for longer than is concealed--> IDLE

All lengths are in samples of 1/48000 s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

FRAME = 960  # 20 ms, what is concealed at a time
START = 1920  # what waits at first
MARGIN = 720  # 15 ms: the speaker takes 10 ms at a time
TOLERANCE = 480  # a margin that is off by less than this is left alone
LOSS_FORGOTTEN = 480_000  # a lost packet counts for 10 s
MAX_LOSS, LOSSY = 3.0, 1.0  # how many count at most, and more than how many are no accident
MAX_WAIT = 14_400  # 0.3 s; whatever waits longer is left out at once
MAX_CONCEALED = 5760  # 120 ms: after that libopus has faded to silence
MAX_PACKETS = 64  # of the shortest kind, MAX_WAIT would be 120
WINDOW = 150  # packets whose slack counts: three seconds
LEAST_OF_WINDOW = 20  # of fewer packets, nothing is concluded
IGNORED = 3  # so many of the window may be late: one in fifty is concealed, and not worth a delay
CORRECTION_APART = 24_000  # a correction at most twice a second; it is a period of the voice, about 5 ms
CONCEALABLE = 120  # libopus conceals multiples of 2.5 ms
WRAP = 2**32


@dataclass(frozen=True, slots=True)
class Decode:
    """Decode this packet."""

    packet: bytes


@dataclass(frozen=True, slots=True)
class Recover:
    """Recover the samples before this packet from the copy in it, or conceal them."""

    following: bytes
    samples: int


@dataclass(frozen=True, slots=True)
class Conceal:
    """Conceal what did not come."""

    samples: int


Step: TypeAlias = Decode | Recover | Conceal


class JitterBuffer:
    """One stream of packets. Times are RTP timestamps, whose wrapping is taken care of here."""

    def __init__(self) -> None:
        self._packets: dict[int, tuple[bytes, int]] = {}  # by timestamp, which does not wrap here; with its length
        self._next: int | None = None  # the timestamp of what is decoded next; None while idle
        self._last = 0  # the newest timestamp
        self._silence = 0  # to be played before the first packet
        self._concealed = 0  # since the last packet
        self._slacks: deque[int] = deque(maxlen=WINDOW)
        self._since_correction = 0
        self._loss = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being played."""
        return self._next is None

    def receive(self, timestamp: int, packet: bytes, samples: int, waiting: int) -> None:
        """A packet of this length came, while `waiting` samples are decoded and not yet played."""
        at = self._unwrapped(timestamp)
        if self._next is None:
            self._start(at)
        assert self._next is not None  # noqa: S101 (for mypy: it has been started)
        slack = at - self._next + waiting + self._silence
        if abs(slack) > MAX_WAIT and at >= self._last:  # the sender's clock has jumped, or all came to a halt
            self._jump(at, waiting)
            slack = at - self._next + waiting + self._silence
        self._last = max(self._last, at)
        self._slacks.append(slack)
        if at < self._next or len(self._packets) >= MAX_PACKETS:
            return
        self._packets[at] = packet, samples

    def next_step(self) -> Step | None:
        """What to decode next; None if there is nothing to play for now."""
        if self._next is None:
            return None
        if self._silence:
            samples, self._silence = self._silence, 0
            return Conceal(samples)
        self._drop_old()
        found = self._packets.pop(self._next, None)
        if found is not None:
            packet, samples = found
            self._next += samples
            self._concealed = 0
            return Decode(packet)
        return self._missing()

    def take_played(self, samples: int) -> int:
        """So much time went by. Returns how many samples to put in, or, below 0, to leave out; 0 for none.

        Any number of about that size will do: tell by `receive_correction`.
        """
        self._loss = max(0.0, self._loss - samples / LOSS_FORGOTTEN)
        self._since_correction += samples
        if self._since_correction < CORRECTION_APART or self._next is None:
            return 0
        self._since_correction = 0
        excess = self._excess()
        return 0 if abs(excess) <= TOLERANCE else -excess

    def receive_correction(self, samples: int) -> None:
        """So many samples were put in, or left out, or neither because there was nothing to do it with."""
        if samples:
            self._slacks = deque((slack + samples for slack in self._slacks), maxlen=WINDOW)

    def _excess(self) -> int:
        """How much more than the margin nearly all packets of the window had; 0 if it is too early to tell."""
        if len(self._slacks) < LEAST_OF_WINDOW:
            return 0
        margin = MARGIN + (FRAME if self._loss > LOSSY else 0)
        return sorted(self._slacks)[IGNORED] - margin

    def _missing(self) -> Step | None:
        """What to do where the packet that is needed is not there."""
        assert self._next is not None  # noqa: S101 (for mypy)
        if not self._packets and self._concealed >= MAX_CONCEALED:
            self._next = None
            return None
        self._loss = min(MAX_LOSS, self._loss + 1)
        if self._packets:
            return self._bridge(min(self._packets) - self._next)
        self._concealed += FRAME
        if self._excess() < -TOLERANCE:  # it is probably late, and more has to wait anyhow
            self.receive_correction(FRAME)
        else:
            self._next += FRAME
        return Conceal(FRAME)

    def _bridge(self, gap: int) -> Step:
        """What to do where only a later packet is there."""
        assert self._next is not None  # noqa: S101 (for mypy)
        following, samples = self._packets[self._next + gap]
        if gap <= samples:
            self._next += gap
            return Recover(following, gap + -gap % CONCEALABLE)
        step = min(FRAME, gap - samples)
        step += -step % CONCEALABLE
        self._next += step
        return Conceal(step)

    def _start(self, at: int) -> None:
        self._packets.clear()
        self._next = at
        self._silence = START
        self._concealed = 0

    def _jump(self, at: int, waiting: int) -> None:
        self._packets.clear()
        self._slacks.clear()
        self._next = at
        self._silence = max(0, START - waiting)
        self._concealed = 0
        self._last = at

    def _drop_old(self) -> None:
        for at in [at for at in self._packets if self._next is not None and at < self._next]:
            del self._packets[at]

    def _unwrapped(self, timestamp: int) -> int:
        """The number nearest to the newest timestamp that is the same modulo 2^32."""
        if not self._last:
            self._last = WRAP + timestamp
        return self._last + (timestamp - self._last + WRAP // 2) % WRAP - WRAP // 2
