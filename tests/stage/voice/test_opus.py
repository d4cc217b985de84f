from __future__ import annotations

import random
from array import array

import pytest
from tests.stage.voice.tones import strength, tone

from belvedere.errors import OwnerError
from belvedere.stage.voice import opus
from belvedere.stage.voice.opus import FRAME_SAMPLES, OpusDecoder, OpusEncoder, OpusError, packet_samples


def encoded(count: int, hz: float = 440) -> list[bytes]:
    encoder = OpusEncoder(32_000)
    return [encoder.encode(tone(hz, FRAME_SAMPLES, begin=number * FRAME_SAMPLES).tobytes()) for number in range(count)]


def test_what_is_encoded_is_heard_again() -> None:
    packets, decoder = encoded(20), OpusDecoder()
    assert {packet_samples(each) for each in packets} == {FRAME_SAMPLES}
    assert max(map(len, packets)) < 200
    sound = [decoder.decode(each) for each in packets]
    assert strength(sound[-1], 440) == pytest.approx(8000, rel=0.1)
    assert strength(sound[-1], 700) < 800


def test_a_lost_packet_is_recovered_from_the_next_and_better_than_concealed() -> None:
    packets, decoder = encoded(30), OpusDecoder()
    for each in packets[:10]:
        decoder.decode(each)
    recovered = decoder.recover(packets[11], FRAME_SAMPLES)
    assert len(recovered) == FRAME_SAMPLES
    assert strength(recovered, 440) == pytest.approx(8000, rel=0.15)
    assert strength(decoder.decode(packets[11]), 440) == pytest.approx(8000, rel=0.15)


def test_what_is_concealed_fades() -> None:
    packets, decoder = encoded(10), OpusDecoder()
    for each in packets:
        decoder.decode(each)
    sound = [decoder.conceal(FRAME_SAMPLES) for _ in range(12)]
    assert max(sound[0]) > 1000
    assert max(sound[-1]) < 500


@pytest.mark.parametrize(
    ("packet", "samples"),
    [(b"\x78x", 960), (b"\x79xx", 1920), (b"\x7b\x03xxx", 2880), (b"\x80x", 120), (b"\x18x", 2880), (b"\x08x", 960)],
)
def test_the_first_bytes_say_how_long_a_packet_is(packet: bytes, samples: int) -> None:
    assert packet_samples(packet) == samples


@pytest.mark.parametrize("packet", [b"", b"\x7b", b"\x7b\x00", b"\x7b\x3f", b"x" * 1276])
def test_what_is_no_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(OpusError):
        packet_samples(packet)
    with pytest.raises(OpusError):
        OpusDecoder().decode(packet)


def test_any_bytes_are_decoded_or_refused() -> None:
    chance, decoder = random.Random(7), OpusDecoder()
    for _ in range(500):
        packet = chance.randbytes(chance.randrange(200))
        try:
            assert 0 < len(decoder.decode(packet)) <= 5760
            assert len(decoder.recover(packet, FRAME_SAMPLES)) == FRAME_SAMPLES
        except OpusError:
            continue
    assert isinstance(decoder.conceal(FRAME_SAMPLES), array)


def test_a_computer_without_the_library_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    opus._library.cache_clear()
    monkeypatch.setattr(opus, "_of_wheel", lambda: ["/nowhere/libopus.so"])
    monkeypatch.setattr(opus, "SYSTEM_LIBRARY", "libopus-that-is-not-there.so")
    try:
        with pytest.raises(OwnerError, match="apt install libopus0"):
            OpusEncoder(32_000)
    finally:
        opus._library.cache_clear()
