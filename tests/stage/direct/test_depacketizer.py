"""Packets become the access units that they were cut from, in any order; nothing incomplete is passed on."""

from __future__ import annotations

import itertools
import random

import pytest
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from belvedere.errors import BitstreamError
from belvedere.stage.direct.depacketizer import (
    JUMP_PACKETS,
    LATE_PACKETS,
    MAX_UNIT_BYTES,
    WAITING_PACKETS,
    AccessUnit,
    Depacketizer,
    Packet,
    read_packet,
)
from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.frames import EncodedFrame

SPS, PPS = b"\x67\x42\xe0\x1f", b"\x68\xce"
START = b"\0\0\0\1"


def idr(size: int = 3000) -> bytes:
    return START + SPS + START + PPS + START + b"\x65" + bytes([7]) * size


def picture(number: int, size: int = 2500) -> bytes:
    return START + b"\x41" + bytes([number % 255 + 1]) * size


def packets(*units: bytes, first: int = 65_530, timestamp: int = 2**32 - 3000) -> list[Packet]:
    """The packets of these access units, as our own sender cuts them, with numbers that wrap."""
    numbers = itertools.count(first)
    found = []
    for index, unit in enumerate(units):
        payloads = SharedPayloads().of(EncodedFrame(unit, 0.0, 0, is_idr=False))
        for position, payload in enumerate(payloads):
            at = (timestamp + 3000 * index) % 2**32
            found.append(Packet(96, next(numbers) % 65536, at, 1, position == len(payloads) - 1, payload))
    return found


def received(sent: list[Packet], depacketizer: Depacketizer | None = None) -> list[bytes]:
    depacketizer = depacketizer or Depacketizer()
    return [unit.data for packet in sent for unit in depacketizer.receive(packet)]


STREAM = [idr(), *(picture(number) for number in range(5))]


def test_access_units_come_out_as_they_went_in() -> None:
    depacketizer = Depacketizer()
    assert depacketizer.is_new
    found = [unit for packet in packets(*STREAM) for unit in depacketizer.receive(packet)]
    assert [unit.data for unit in found] == STREAM
    assert [unit.is_idr for unit in found] == [True] + [False] * 5
    assert [unit.timestamp for unit in found] == [(2**32 - 3000 + 3000 * index) % 2**32 for index in range(6)]
    assert not depacketizer.needs_idr
    assert not depacketizer.is_new


@pytest.mark.parametrize("seed", range(5))
def test_packets_that_arrive_late_or_twice_are_put_in_order(seed: int) -> None:
    chance = random.Random(seed)
    sent = packets(*STREAM)
    mixed = sorted(range(1, len(sent)), key=lambda index: index + chance.randrange(8))
    again = [index for index in mixed for _ in range(chance.choice([1, 2]))]
    assert received([sent[0], *(sent[index] for index in again)]) == STREAM


def test_a_lost_packet_is_named_and_what_follows_waits_for_it() -> None:
    depacketizer = Depacketizer()
    sent = packets(*STREAM)
    lost = sent.pop(5)
    before = received(sent, depacketizer)
    assert depacketizer.missing() == [lost.sequence]
    assert before + received([lost], depacketizer) == STREAM
    assert depacketizer.missing() == []


def test_after_a_loss_nothing_is_passed_on_before_the_next_idr() -> None:
    depacketizer = Depacketizer()
    pictures = [picture(number, 10) for number in range(WAITING_PACKETS + 8)]
    sent = packets(idr(), picture(0), *pictures, idr(), picture(1))
    del sent[4]
    found = received(sent, depacketizer)
    assert found == [idr(), idr(), picture(1)]
    assert not depacketizer.needs_idr


def test_pictures_that_are_not_wanted_are_left_out_up_to_the_next_idr() -> None:
    depacketizer = Depacketizer()
    sent = packets(idr(), picture(1), idr(), picture(2))
    before = received(sent[:2], depacketizer)
    depacketizer.skip_to_idr()
    assert before + received(sent[2:], depacketizer) == [idr(), picture(2)]


def test_a_stream_begins_with_an_idr() -> None:
    depacketizer = Depacketizer()
    assert received(packets(picture(1), picture(2)), depacketizer) == []
    assert depacketizer.needs_idr


def test_a_marker_that_is_missing_ends_the_access_unit_with_the_next_timestamp() -> None:
    sent = packets(idr(10), picture(1, 10))
    unmarked = [Packet(96, each.sequence, each.timestamp, 1, is_last=False, payload=each.payload) for each in sent]
    assert received(unmarked) == [idr(10)]


@pytest.mark.parametrize("jump", [JUMP_PACKETS + 9, -JUMP_PACKETS - 9, 30_000])
def test_a_stream_whose_numbers_jump_begins_anew(jump: int) -> None:
    depacketizer = Depacketizer()
    received(packets(idr(), first=40_000), depacketizer)
    assert received(packets(picture(1), idr(), first=(40_000 + jump) % 65536), depacketizer) == [idr()]


def test_a_stream_that_begins_a_little_before_the_last_one_is_found_too() -> None:
    depacketizer = Depacketizer()
    received(packets(idr(), first=500), depacketizer)
    pictures = [picture(number, 10) for number in range(LATE_PACKETS + 1)]
    assert received(packets(*pictures, idr(), first=100), depacketizer) == [idr()]


def payload_packets(*payloads: bytes) -> list[Packet]:
    return [Packet(96, number, 0, 1, number == len(payloads) - 1, payload) for number, payload in enumerate(payloads)]


@pytest.mark.parametrize(
    "payloads",
    [
        [b"\x65idr", b"\x1d\0\0"],
        [b"\x65idr", b"\x78\0\x09short"],
        [b"\x65idr", b"\x78\0\0"],
        [b"\x65idr", b"\x7c"],
        [b"\x65idr", b"\x7c\x05middle"],
        [b"\x65idr", b"\x7c\x85begin"],
    ],
)
def test_an_access_unit_with_a_packet_that_cannot_be_read_is_left_out(payloads: list[bytes]) -> None:
    depacketizer = Depacketizer()
    assert received(payload_packets(*payloads), depacketizer) == []
    assert depacketizer.needs_idr


def test_an_access_unit_without_end_takes_bounded_memory() -> None:
    depacketizer = Depacketizer()
    payload = b"\x7c\x05" + bytes(1200)
    sent = [Packet(96, 0, 0, 1, is_last=False, payload=b"\x7c\x85begin")]
    sent += [Packet(96, number % 65536, 0, 1, is_last=False, payload=payload) for number in range(1, 10_000)]
    assert received(sent, depacketizer) == []
    held = sum(len(each) for each in depacketizer._units._fragments)
    assert held <= MAX_UNIT_BYTES


def test_only_the_first_of_many_lost_packets_are_named() -> None:
    depacketizer = Depacketizer()
    for sequence in (7, 1000):
        depacketizer.receive(Packet(96, sequence, 0, 1, False, b"\x41a"))
    assert depacketizer.missing(3) == [8, 9, 10]


@given(
    st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 3), st.booleans(), st.binary(max_size=40)), max_size=60)
)
def test_any_packets_are_read_without_an_error_and_never_hold_more_than_a_window(
    sent: list[tuple[int, int, bool, bytes]],
) -> None:
    depacketizer = Depacketizer()
    for sequence, timestamp, is_last, payload in sent:
        for unit in depacketizer.receive(Packet(96, sequence, timestamp, 1, is_last, payload)):
            assert isinstance(unit, AccessUnit)
        assert len(depacketizer._waiting) <= WAITING_PACKETS
        assert len(depacketizer.missing()) <= JUMP_PACKETS


def test_a_packets_header_is_read_as_aiortc_writes_it() -> None:
    known = HeaderExtensionsMap()
    packet = RtpPacket(payload_type=97, marker=1, sequence_number=7, timestamp=9, ssrc=5, payload=b"payload")
    packet.extensions = HeaderExtensions()
    packet.csrc = [1, 2]
    packet.padding_size = 4
    assert read_packet(packet.serialize(known)) == Packet(97, 7, 9, 5, is_last=True, payload=b"payload")


def test_a_packets_extension_is_skipped() -> None:
    header = bytes([0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])
    assert read_packet(header + b"\xbe\xde\0\1abcdrest").payload == b"rest"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(12),
        b"\x80" * 11,
        b"\x8f" + bytes(11),
        b"\xa0" + bytes(10) + b"\xff",
        b"\x90" + bytes(13) + b"\xff\xff",
    ],
)
def test_what_is_no_rtp_packet_is_refused(data: bytes) -> None:
    with pytest.raises(BitstreamError):
        read_packet(data)
