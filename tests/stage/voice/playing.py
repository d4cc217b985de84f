"""Plays a jitter buffer in virtual time, with a loudspeaker and a network whose clocks and delays the test chooses."""

from __future__ import annotations

import itertools
import random
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.stage.voice.jitter_buffer import Conceal, Decode, JitterBuffer, Recover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RATE = 48_000
NEEDED = 720  # for a correction
PERIOD = 240  # what one correction takes or gives: a voice of 200 Hz


@dataclass
class Played:
    """What came out, in samples, and how long after it was sent each packet is played, in seconds."""

    decoded: int = 0
    recovered: int = 0
    concealed: int = 0
    silent: int = 0
    delays_s: list[float] = field(default_factory=list)


class Loudspeaker:
    """Takes samples from a buffer by its own clock, as the speaker does, and counts them in place of playing them."""

    def __init__(self, buffer: JitterBuffer, packet_samples: int) -> None:
        self.buffer = buffer
        self.played = Played()
        self.waiting = 0
        self._packet_samples = packet_samples
        self._at = 0
        self._wanted = 0

    def play_until(self, at_s: float) -> None:
        count = int(at_s * RATE) - self._at
        self._at += count
        while self.waiting < count and self._decode(count):
            pass
        self.played.silent += max(0, count - self.waiting)
        self.waiting = max(0, self.waiting - count)
        self._wanted = self.buffer.take_played(count) or self._wanted

    def _decode(self, count: int) -> bool:
        match self.buffer.next_step():
            case Decode(packet):
                (sent_s,) = struct.unpack("d", packet)
                self.played.delays_s.append((self._at - count + self.waiting) / RATE - sent_s)
                self.played.decoded += 1
                self.waiting += self._packet_samples
                self._correct()
            case Recover(_, samples):
                self.played.recovered += samples
                self.waiting += samples
            case Conceal(samples):
                self.played.concealed += samples
                self.waiting += samples
            case None:
                return False
        return True

    def _correct(self) -> None:
        if self._wanted and self.waiting >= NEEDED:
            done = PERIOD if self._wanted > 0 else -PERIOD
            self._wanted = 0
            self.waiting += done
            self.buffer.receive_correction(done)


def arrivals(
    duration_s: float,
    packet_samples: int,
    *,
    ppm: float,
    loss: float,
    delay_s: Callable[[random.Random], float],
    seed: int = 1,
) -> Iterator[tuple[float, float, int]]:
    """When each packet was sent and when it arrives, by the loudspeaker's clock, and its timestamp."""
    chance = random.Random(seed)
    packet_s = packet_samples / RATE * (1 + ppm / 1e6)
    waiting: list[tuple[float, float, int]] = []
    for number in itertools.count():
        sent_s = number * packet_s
        if sent_s > duration_s:
            break
        if chance.random() >= loss:
            waiting.append((sent_s + delay_s(chance), sent_s, number * packet_samples))
            waiting.sort()
        while waiting and waiting[0][0] <= sent_s:
            arrived_s, was_sent_s, timestamp = waiting.pop(0)
            yield was_sent_s, arrived_s, timestamp


def play(loudspeaker: Loudspeaker, packets: Iterator[tuple[float, float, int]], packet_samples: int) -> Played:
    """Play all of it."""
    for sent_s, arrived_s, timestamp in packets:
        loudspeaker.play_until(arrived_s)
        loudspeaker.buffer.receive(timestamp % 2**32, struct.pack("d", sent_s), packet_samples, loudspeaker.waiting)
    return loudspeaker.played
