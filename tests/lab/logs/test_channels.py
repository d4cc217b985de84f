"""ATT over dynamic channels: those of classic Bluetooth, and enhanced ones."""

from __future__ import annotations

import io
import struct

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.logs.analysis import logged_values
from belvedere.lab.logs.channels import MAX_OPEN_ENDPOINTS
from belvedere.lab.logs.datalinks import UNKNOWN
from belvedere.lab.logs.extract import ValueExtractor
from belvedere.lab.logs.reader import LogReader

KEY, OTHER_KEY = 0x0B, 0x0C
OURS, THEIRS = 0x41, 0x45
ATT_PSM, AUDIO_PSM = 0x1F, 0x19
WRITE, NOTIFY = b"\x12\x17\0abc", b"\x1b\x19\0value"
HAPPENED = -1  # an event, where others have a direction
Said = tuple[int, bytes]


def command(code: int, *numbers: int, identifier: int = 1) -> bytes:
    body = struct.pack(f"<{len(numbers)}H", *numbers)
    return struct.pack("<BBH", code, identifier, len(body)) + body


def frame(pdu: bytes, channel: int, key: int = KEY) -> bytes:
    return hci_log.att(key, pdu, cid=channel)


def signal(*commands: bytes, key: int = KEY, channel: int = 1) -> bytes:
    return frame(b"".join(commands), channel, key)


ASKED = RECEIVED, signal(command(2, ATT_PSM, THEIRS))
GRANTED = SENT, signal(command(3, OURS, THEIRS, 0, 0))
OPENED = [ASKED, GRANTED]
"""They asked: what we send goes to their number, and what they send to ours."""


def labelled_values(*pieces: list[Said]) -> list[tuple[int, bytes]]:
    """The opcode and the value of all that is found; a piece begins where the one before ends."""
    extractor, found = ValueExtractor(), []
    for piece in pieces:
        packets = [
            Packet(offset * 1000, RECEIVED, EVENT, data) if way is HAPPENED else Packet(offset * 1000, way, ACL, data)
            for offset, (way, data) in enumerate(piece)
        ]
        for part in LogReader(io.BytesIO(hci_log.btsnoop(packets))).packets():
            found += [(logged.opcode, logged.value) for logged in logged_values(extractor.receive(part))]
    return found


BOTH = [(SENT, frame(WRITE, THEIRS)), (RECEIVED, frame(NOTIFY, OURS))]
FOUND = [(0x12, b"abc"), (0x1B, b"value")]


def test_what_goes_over_a_channel_that_they_opened_is_found() -> None:
    assert labelled_values(OPENED + BOTH) == FOUND


def test_what_goes_over_a_channel_that_we_opened_is_found() -> None:
    opened = [(SENT, signal(command(2, ATT_PSM, OURS))), (RECEIVED, signal(command(3, THEIRS, OURS, 0, 0)))]
    assert labelled_values(opened + BOTH) == FOUND


def test_a_channel_goes_on_in_the_next_piece_of_the_log() -> None:
    assert labelled_values([ASKED], [GRANTED], BOTH, BOTH) == FOUND + FOUND


def test_more_channels_at_once_than_any_phone_opens_are_forgotten_oldest_first() -> None:
    def opened(more: int) -> list[Said]:
        requested = RECEIVED, signal(command(2, ATT_PSM, THEIRS + more))
        return [requested, (SENT, signal(command(3, OURS + more, THEIRS + more, 0, 0)))]

    flood = [part for more in range(1, MAX_OPEN_ENDPOINTS) for part in opened(more)]
    first_kept = MAX_OPEN_ENDPOINTS // 2
    assert labelled_values(OPENED + flood + BOTH) == []
    assert labelled_values(OPENED, [*flood, (SENT, frame(WRITE, THEIRS + first_kept))]) == FOUND[:1]
    assert labelled_values(OPENED, [*flood, (SENT, frame(WRITE, THEIRS + first_kept - 1))]) == []


def test_an_answer_that_is_only_pending_opens_nothing_yet() -> None:
    waiting = SENT, signal(command(3, OURS, THEIRS, 1, 0))
    assert labelled_values([ASKED, waiting, *BOTH]) == []
    assert labelled_values([ASKED, waiting, GRANTED, *BOTH]) == FOUND


@pytest.mark.parametrize(
    "opened",
    [
        [],
        [ASKED],
        [GRANTED],
        [ASKED, (SENT, signal(command(3, OURS, THEIRS, 4, 0)))],
        [(RECEIVED, signal(command(2, AUDIO_PSM, THEIRS))), GRANTED],
    ],
    ids=["nothing", "asked", "granted unasked", "refused", "audio"],
)
def test_other_channels_hold_no_attributes(opened: list[Said]) -> None:
    assert labelled_values(opened + BOTH) == []


def test_a_number_means_one_channel_in_each_direction_and_connection() -> None:
    crossed = [(SENT, frame(WRITE, OURS)), (RECEIVED, frame(NOTIFY, THEIRS)), (SENT, frame(WRITE, THEIRS, OTHER_KEY))]
    assert labelled_values(OPENED + crossed) == []


@pytest.mark.parametrize(
    "closed",
    [
        [(SENT, signal(command(6, THEIRS, OURS))), (RECEIVED, signal(command(7, THEIRS, OURS)))],
        [(RECEIVED, signal(command(6, OURS, THEIRS))), (SENT, signal(command(7, OURS, THEIRS)))],
        [(RECEIVED, signal(command(2, AUDIO_PSM, THEIRS))), GRANTED],
    ],
    ids=["by us", "by them", "another opened"],
)
def test_a_channel_that_was_closed_holds_attributes_no_more(closed: list[Said]) -> None:
    assert labelled_values(OPENED + BOTH + closed + BOTH) == FOUND
    assert labelled_values(OPENED + BOTH, closed, BOTH) == FOUND


def test_a_number_may_be_opened_and_closed_again_and_again() -> None:
    closed = [(SENT, signal(command(7, OURS, THEIRS)))]
    assert labelled_values((OPENED + BOTH + closed + BOTH) * 20) == FOUND * 20


def test_a_channel_ends_with_its_connection() -> None:
    assert labelled_values(OPENED + BOTH, [(HAPPENED, hci_log.disconnected(KEY))], BOTH) == FOUND


def test_a_channel_that_opens_in_the_piece_of_its_connections_beginning_stays() -> None:
    begun = HAPPENED, hci_log.event(3, b"\0" + struct.pack("<H", KEY) + bytes(6) + b"\1\0")
    assert labelled_values([begun, *OPENED], BOTH) == FOUND


def test_several_commands_may_go_in_one_frame() -> None:
    assert labelled_values([(RECEIVED, signal(command(8, 0, 0), command(2, ATT_PSM, THEIRS))), GRANTED, *BOTH]) == FOUND


def test_fragments_of_such_a_channel_are_put_together() -> None:
    whole = hci_log.l2cap(b"\x52\x17\0" + bytes(range(60)), cid=THEIRS)
    pieces = [(SENT, piece) for piece in hci_log.fragments(KEY, whole, 25, boundary=2)]
    assert labelled_values(OPENED + pieces) == [(0x52, bytes(range(60)))]
    assert labelled_values(pieces) == []


def test_without_directions_a_channel_is_found_by_its_numbers() -> None:
    begun = Packet(0, RECEIVED, EVENT, hci_log.event(3, b"\0" + struct.pack("<H", KEY) + bytes(6) + b"\1\0"))
    long = hci_log.l2cap(b"\x52\x17\0" + bytes(range(60)), cid=THEIRS)
    fragments = [one for _way, one in OPENED + BOTH] + hci_log.fragments(KEY, long, 25, boundary=2)
    flushable = [one[:1] + bytes([one[1] | (0 if one[1] & 0x10 else 0x20)]) + one[2:] for one in fragments]
    packets = [begun, *(Packet(0, SENT, ACL, one) for one in flushable)]
    (part,) = LogReader(io.BytesIO(hci_log.pcap(packets, linktype=187))).packets()
    found = [
        (logged.direction, logged.opcode, logged.value) for logged in logged_values(ValueExtractor().receive(part))
    ]
    assert found == [(UNKNOWN, *one) for one in [*FOUND, (0x52, bytes(range(60)))]]


def test_commands_that_are_cut_or_senseless_are_passed_over() -> None:
    odd = [(RECEIVED, signal(data)) for data in (b"\2", command(2), command(2, 1), b"\2\1\xff\xff" + bytes(3))]
    assert labelled_values(odd + OPENED + BOTH) == FOUND


def test_a_channel_ends_with_its_connection_within_a_piece() -> None:
    ended = HAPPENED, hci_log.disconnected(KEY)
    assert labelled_values([*OPENED, *BOTH, ended, *BOTH, *OPENED, *BOTH]) == FOUND + FOUND


WE_ASKED = SENT, signal(command(0x17, 0x27, 64, 64, 9, 0x50, 0x51), channel=5)
TWO_GRANTED = RECEIVED, signal(command(0x18, 64, 64, 9, 0, 0x60, 0x61), channel=5)
ENHANCED = [WE_ASKED, TWO_GRANTED]
"""What we send goes to 0x60 and 0x61, and what they send to 0x50 and 0x51."""


def enhanced(pdu: bytes, channel: int) -> bytes:
    return frame(struct.pack("<H", len(pdu)) + pdu, channel)


BOTH_ENHANCED = [(SENT, enhanced(WRITE, 0x60)), (RECEIVED, enhanced(NOTIFY, 0x51))]


@pytest.mark.parametrize("channel", [1, 5], ids=["classic", "low energy"])
def test_what_goes_over_enhanced_channels_is_found(channel: int) -> None:
    opened = [(way, data[:6] + bytes([channel]) + data[7:]) for way, data in ENHANCED]
    assert labelled_values(opened + BOTH_ENHANCED) == FOUND
    assert labelled_values(opened, BOTH_ENHANCED[:1], BOTH_ENHANCED[1:]) == FOUND


@pytest.mark.parametrize(
    "opened",
    [
        [WE_ASKED],
        [TWO_GRANTED],
        [(SENT, signal(command(0x17, 0x25, 64, 64, 9, 0x50, 0x51), channel=5)), TWO_GRANTED],
        [WE_ASKED, (RECEIVED, signal(command(0x18, 0, 0, 0, 4, 0, 0), channel=5))],
        [WE_ASKED, (RECEIVED, signal(command(0x18, 64, 64, 9, 0, 0x60, 0x61, identifier=2), channel=5))],
        [*ENHANCED, (SENT, signal(command(7, 0x50, 0x60), command(7, 0x51, 0x61), channel=5))],
    ],
    ids=["asked", "granted unasked", "another service", "refused", "another answered", "closed"],
)
def test_other_enhanced_channels_hold_no_attributes(opened: list[Said]) -> None:
    assert labelled_values(opened + BOTH_ENHANCED) == []


def test_of_several_enhanced_channels_some_may_be_refused() -> None:
    granted = RECEIVED, signal(command(0x18, 64, 64, 9, 4, 0, 0x61), channel=5)
    pdus = [(SENT, enhanced(WRITE, 0x60)), (SENT, enhanced(WRITE, 0x61)), (RECEIVED, enhanced(NOTIFY, 0x50))]
    assert labelled_values([WE_ASKED, granted, *pdus]) == FOUND[:1]


def test_a_pdu_may_take_several_frames_of_an_enhanced_channel() -> None:
    pdu = b"\x12\x17\0" + bytes(range(90))
    whole = struct.pack("<H", len(pdu)) + pdu
    frames = [(SENT, frame(part, 0x60)) for part in (whole[:50], whole[50:60])]
    last = [(SENT, part) for part in hci_log.fragments(KEY, hci_log.l2cap(whole[60:], cid=0x60), 20)]
    between = [(SENT, enhanced(WRITE, 0x61)), (RECEIVED, enhanced(NOTIFY, 0x50))]
    assert labelled_values(ENHANCED + frames + between, last) == [*FOUND, (0x12, bytes(range(90)))]


def test_each_enhanced_channel_has_requests_of_its_own() -> None:
    requested = [(SENT, enhanced(b"\x0a\x20\0", 0x60)), (SENT, enhanced(b"\x0a\x21\0", 0x61))]
    answers = [(RECEIVED, enhanced(b"\x0bzero", 0x50)), (RECEIVED, enhanced(b"\x0bone", 0x51))]
    packets = [Packet(0, way, ACL, data) for way, data in ENHANCED + requested + answers]
    (part,) = LogReader(io.BytesIO(hci_log.btsnoop(packets))).packets()
    found = [(logged.handle, logged.value) for logged in logged_values(ValueExtractor().receive(part))]
    assert found == [(0x20, b"zero"), (0x21, b"one")]


def test_a_name_read_over_an_enhanced_channel_is_the_devices() -> None:
    read = [(SENT, enhanced(b"\x08\1\0\xff\xff\x00\x2a", 0x60)), (RECEIVED, enhanced(b"\x09\6\3\0PONS", 0x50))]
    packets = [Packet(0, way, ACL, data) for way, data in ENHANCED + read]
    (part,) = LogReader(io.BytesIO(hci_log.btsnoop(packets))).packets()
    extractor = ValueExtractor()
    extractor.receive(part)
    assert [one.bearer.name for one in extractor.connections.all] == ["PONS"]


def test_frames_that_do_not_fit_are_counted_as_lost() -> None:
    packets = [Packet(0, way, ACL, data) for way, data in [*ENHANCED, (SENT, frame(b"\1\0" + WRITE, 0x60))]]
    (part,) = LogReader(io.BytesIO(hci_log.btsnoop(packets))).packets()
    extractor = ValueExtractor()
    assert (len(extractor.receive(part).frame), extractor.reassembler.lost) == (0, 1)
