from __future__ import annotations

import random
from array import array

import pytest
from tests.stage.voice.tones import loudness, strength, tone, voice

from belvedere.stage.voice.opus import OpusEncoder
from belvedere.stage.voice.talker import INBOX, Talker

FRAME, PIECE = 960, 480


def packets(count: int, amplitude: float = 8000.0) -> list[bytes]:
    encoder = OpusEncoder(32_000)
    return [encoder.encode(tone(440, FRAME, amplitude, begin=at * FRAME).tobytes()) for at in range(count)]


def say(talker: Talker, sent: list[bytes], lost: frozenset[int] = frozenset()) -> array[int]:
    """Send one packet every 20 ms, and take what is played meanwhile."""
    played: array[int] = array("h")
    for number, packet in enumerate(sent):
        if number not in lost:
            talker.receive((5_000 + number * FRAME) % 2**32, packet)
        for _ in range(2):
            played.extend(talker.take(PIECE) or array("h", [0] * PIECE))
    return played


def test_what_is_said_is_played() -> None:
    talker = Talker()
    played = say(talker, packets(100))
    assert len(played) == 100 * FRAME
    assert strength(played[-9600:], 440) == pytest.approx(8000, rel=0.1)
    assert talker.is_loud


def test_lost_packets_leave_no_hole() -> None:
    encoder = OpusEncoder(32_000)
    sent = [encoder.encode(voice(FRAME, begin=number * FRAME).tobytes()) for number in range(200)]
    played = say(Talker(), sent, lost=frozenset(range(20, 200, 17)))
    pieces = [loudness(played[at : at + PIECE]) for at in range(9600, len(played), PIECE)]
    assert min(pieces) > 1000
    assert 3000 < sum(pieces) / len(pieces) < 3800


def test_nothing_is_played_before_the_first_packet_and_after_the_last() -> None:
    talker = Talker()
    assert talker.take(PIECE) is None
    say(talker, packets(30))
    rest = [talker.take(PIECE) for _ in range(60)]
    assert rest[-1] is None
    assert not talker.is_loud


def test_silence_is_not_loud() -> None:
    talker = Talker()
    say(talker, packets(60, amplitude=100))
    assert not talker.is_loud


def test_a_thousand_packets_a_second_are_decoded_no_faster_than_they_are_played() -> None:
    talker, sent = Talker(), packets(50)
    decoded = 0

    class Counting:
        def decode(self, _packet: bytes) -> array[int]:
            nonlocal decoded
            decoded += 1
            return array("h", [0] * FRAME)

        def recover(self, _following: bytes, samples: int) -> array[int]:
            return self.conceal(samples)

        def conceal(self, samples: int) -> array[int]:
            nonlocal decoded
            decoded += 1
            return array("h", [0] * samples)

    talker._decoder = Counting()  # type: ignore[assignment]  # counts in place of decoding
    for number in range(10_000):
        talker.receive(number * FRAME, sent[number % 50])
        if number % 10 == 0:
            talker.take(PIECE)
    assert decoded < 1000  # ten seconds of sound
    assert len(talker._inbox) <= INBOX
    assert len(talker._samples) < 5 * FRAME


def test_any_bytes_at_any_timestamps_are_bounded_and_do_no_harm() -> None:
    chance, talker = random.Random(2), Talker()
    good = packets(1)[0]
    for _ in range(3000):
        packet = chance.choice([b"", b"\x7b\x3f", good, chance.randbytes(chance.randrange(1, 300)), b"\x00" * 1400])
        talker.receive(chance.choice([0, 960, chance.getrandbits(32)]), packet)
        if chance.random() < 0.3:
            taken = talker.take(PIECE)
            assert taken is None or len(taken) == PIECE
    assert len(talker._samples) < 15_000
    played = say(talker, packets(400))
    assert strength(played[-4800:], 440) > 6000  # a good stream is heard again
