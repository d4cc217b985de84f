from __future__ import annotations

import struct

import pytest
from tests.support.captures import hci_log, usb_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SCO, SENT, Packet

SENT_ONE = Packet(0, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0abc"))
RECEIVED_ONE = Packet(0, RECEIVED, EVENT, hci_log.connected(0x40, "C0:DE:00:00:5A:1E"))


def records(file: bytes) -> list[tuple[bytes, int]]:
    """What each record holds, and how long it was."""
    found, at = [], 24
    while at < len(file):
        length, original = struct.unpack_from("<II", file, at + 8)
        found.append((file[at + 16 : at + 16 + length], original))
        at += 16 + length
    return found


@pytest.mark.parametrize(("linktype", "head"), [(189, 48), (220, 64), (249, 27)])
def test_data_is_with_the_beginning_of_what_is_sent_and_the_end_of_what_is_received(linktype: int, head: int) -> None:
    sent, done, asked, received = records(usb_log.usb(usb_log.transfers([SENT_ONE, RECEIVED_ONE]), linktype=linktype))
    assert (sent[0][head:], done[0][head:]) == (SENT_ONE.data, b"")
    assert (asked[0][head:], received[0][head:]) == (b"", RECEIVED_ONE.data)


def test_a_packet_goes_in_transfers_of_a_size() -> None:
    made = usb_log.transfers([RECEIVED_ONE], size=16)
    assert [len(one.data) for one in made] == [16, len(RECEIVED_ONE.data) - 16]


def test_what_is_cut_was_longer() -> None:
    (sent, original), _ = records(usb_log.usb(usb_log.transfers([SENT_ONE._replace(kept=5)])))
    assert (sent[64:], original) == (SENT_ONE.data[:5], 64 + len(SENT_ONE.data))


def test_sound_is_left_out() -> None:
    assert usb_log.transfers([Packet(0, SENT, SCO, b"\x40\0\0")]) == []
