"""One visitor's voice, from the packets that come to the samples that are played.

A packet is decoded when the loudspeaker needs it: so a visitor who sends a thousand a second has no more decoded than
one who sends fifty, and what does not fit into the inbox is dropped.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import Final

from belvedere.stage.voice.jitter_buffer import Decode, JitterBuffer, Recover
from belvedere.stage.voice.opus import FRAME_SAMPLES, OpusDecoder, OpusError, packet_samples
from belvedere.stage.voice.stretch import NEEDED, lengthen, shorten

INBOX = 64  # packets; at the usual 50 a second nothing waits here for longer than the speaker needs to open
LOUD = 250.0  # the mean of the absolute samples, of 32,768: a voice has 1,000 and more, a quiet room 50
LOUD_FOR = 24_000  # half a second: between words it counts as talking
MAX_STEPS: Final = 16  # for one piece of 10 ms; four packets of 2.5 ms are the most that a sender has in it
_EVERY = 8  # of these samples the loudness is measured by one


class Talker:
    """`receive` and `is_loud` belong to the event loop, `take` to the speaker's thread.

    A deque's own operations are safe between the two, and nothing else is shared.
    """

    def __init__(self) -> None:
        self._inbox: deque[tuple[int, bytes]] = deque(maxlen=INBOX)
        self._buffer = JitterBuffer()
        self._decoder: OpusDecoder | None = None
        self._samples: array[int] = array("h")
        self._wanted = 0  # samples to put in, or, below 0, to leave out
        self._quiet_for = LOUD_FOR

    @property
    def is_loud(self) -> bool:
        """Whether a voice is to be heard now, as opposed to silence."""
        return self._quiet_for < LOUD_FOR

    def receive(self, timestamp: int, packet: bytes) -> None:
        """A packet of Opus came, with its RTP timestamp; it may say anything."""
        self._inbox.append((timestamp, packet))

    def take(self, count: int) -> array[int] | None:
        """The next samples; None where there is nothing to hear. Call it at the loudspeaker's pace."""
        while self._inbox:
            self._receive(*self._inbox.popleft())
        self._wanted = self._buffer.take_played(count) or self._wanted
        for _ in range(MAX_STEPS):
            if len(self._samples) >= count or not self._decode():
                break
        taken = self._samples[:count]
        del self._samples[:count]
        self._measure(taken, count)
        if not taken:
            return None
        taken.extend([0] * (count - len(taken)))
        return taken

    def _receive(self, timestamp: int, packet: bytes) -> None:
        try:
            samples = packet_samples(packet)
        except OpusError:
            return
        self._buffer.receive(timestamp, packet, samples, len(self._samples))

    def _decode(self) -> bool:
        """Do the next step; returns whether there may be more."""
        step = self._buffer.next_step()
        if step is None:
            return False
        if self._decoder is None:
            self._decoder = OpusDecoder()
        try:
            match step:
                case Decode(packet):
                    self._samples.extend(self._decoder.decode(packet))
                    self._correct()
                case Recover(following, samples):
                    self._samples.extend(self._decoder.recover(following, samples))
                case _:
                    self._samples.extend(self._decoder.conceal(step.samples))
        except OpusError:  # it had the form of a packet, and nothing more
            self._samples.extend([0] * FRAME_SAMPLES)
        return True

    def _correct(self) -> None:
        if not self._wanted or len(self._samples) < NEEDED:
            return
        done = lengthen(self._samples) if self._wanted > 0 else -shorten(self._samples)
        self._wanted = 0
        self._buffer.receive_correction(done)

    def _measure(self, samples: array[int], count: int) -> None:
        heard = samples[::_EVERY]
        is_loud = bool(heard) and sum(map(abs, heard)) / len(heard) > LOUD
        self._quiet_for = 0 if is_loud else min(LOUD_FOR, self._quiet_for + count)
