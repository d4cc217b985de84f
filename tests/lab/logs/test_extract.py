from __future__ import annotations

import io
import itertools

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.logs import extract, reader
from belvedere.lab.logs.analysis import logged_values
from belvedere.lab.logs.extract import ValueExtractor
from belvedere.lab.logs.reader import LogReader

PAN, TILT = "C0:DE:00:00:5A:1E", "C0:DE:00:00:5A:1F"
VALUE = bytes(range(40))
WRITE = b"\x52\x17\0"


class Tape:
    """Packets one after the other, a millisecond apart."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self._time_us = itertools.count(1_700_000_000_000_000, 1000)

    def add(self, direction: int, data: bytes, *, kind: int = ACL, kept: int | None = None) -> None:
        self.packets.append(Packet(next(self._time_us), direction, kind, data, kept))

    def send(self, pdu: bytes, handle: int = 0x40) -> None:
        self.add(SENT, hci_log.att(handle, pdu))

    def receive(self, pdu: bytes, handle: int = 0x40) -> None:
        self.add(RECEIVED, hci_log.att(handle, pdu, is_first_flushable=True))

    def event(self, data: bytes) -> None:
        self.add(RECEIVED, data, kind=EVENT)

    def labelled_values(
        self, extractor: ValueExtractor | None = None, *, file: bytes | None = None
    ) -> list[tuple[int, int, bytes]]:
        """Frame, opcode and value of all that was found."""
        return [(frame, opcode, value) for frame, _who, opcode, _handle, value in self.all(extractor, file=file)]

    def all(
        self, extractor: ValueExtractor | None = None, *, file: bytes | None = None
    ) -> list[tuple[int, str, int, int, bytes]]:
        extractor = extractor or ValueExtractor()
        found = []
        for packets in LogReader(io.BytesIO(file or hci_log.btsnoop(self.packets))).packets():
            for logged in logged_values(extractor.receive(packets)):
                connections = extractor.connections
                who = connections.devices[connections.all[logged.connection].device].label
                found.append((logged.frame, who, logged.opcode, logged.handle, logged.value))
        return found


@pytest.fixture
def tape() -> Tape:
    return Tape()


def test_writes_and_notifications_are_found_with_their_devices(tape: Tape) -> None:
    tape.event(hci_log.connected(0x40, PAN))
    tape.event(hci_log.connected(0x41, TILT))
    tape.send(WRITE + b"pan")
    tape.send(WRITE + b"tilt", 0x41)
    tape.receive(b"\x1b\x19\0state")
    assert tape.all() == [
        (3, PAN, 0x52, 0x17, b"pan"),
        (4, TILT, 0x52, 0x17, b"tilt"),
        (5, PAN, 0x1B, 0x19, b"state"),
    ]


def test_a_value_in_fragments_is_reported_where_it_is_complete(tape: Tape) -> None:
    tape.send(WRITE + b"before")
    for fragment in hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE), 20):
        tape.add(SENT, fragment)
    tape.send(WRITE + b"after")
    assert tape.labelled_values() == [(1, 0x52, b"before"), (4, 0x52, VALUE), (5, 0x52, b"after")]


def test_fragments_of_several_connections_and_directions_may_alternate(tape: Tape) -> None:
    frame = hci_log.l2cap(WRITE + VALUE)
    ways = [(SENT, 0x40), (SENT, 0x41), (RECEIVED, 0x40)]
    for parts in zip(*(hci_log.fragments(handle, frame, 20) for _way, handle in ways), strict=True):
        for (way, _handle), part in zip(ways, parts, strict=True):
            tape.add(way, part)
    assert [one[0] for one in tape.labelled_values()] == [7, 8, 9]
    assert {one[2] for one in tape.labelled_values()} == {VALUE}


def test_without_directions_fragments_go_where_a_frame_is_incomplete(tape: Tape) -> None:
    for way, boundary in ((SENT, 0), (RECEIVED, 2)):
        for fragment in hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE), 20, boundary=boundary):
            tape.add(way, fragment)
    file = hci_log.pcap(tape.packets, linktype=187)
    assert tape.labelled_values(file=file) == [(3, 0x52, VALUE), (6, 0x52, VALUE)]


def test_a_lost_fragment_costs_its_frame_only(tape: Tape) -> None:
    first, _second, third = hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE), 20)
    tape.add(SENT, first)
    tape.send(WRITE + b"whole")
    tape.add(SENT, third)
    extractor = ValueExtractor()
    assert tape.labelled_values(extractor) == [(2, 0x52, b"whole")]
    assert extractor.reassembler.lost == 1


def test_a_frame_may_be_whole_in_another_piece_than_it_began(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    for fragment in hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE), 20):
        tape.add(SENT, fragment)
    tape.send(WRITE + b"after")
    monkeypatch.setattr(reader, "CHUNK_BYTES", 40)
    assert tape.labelled_values() == [(3, 0x52, VALUE), (4, 0x52, b"after")]


def test_the_end_of_a_connection_ends_what_is_incomplete(tape: Tape) -> None:
    first, *others = hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE), 20)
    tape.add(SENT, first)
    tape.event(hci_log.disconnected(0x40))
    tape.event(hci_log.connected(0x40, TILT))
    for other in others:
        tape.add(SENT, other)
    assert tape.labelled_values() == []


def test_a_value_cut_in_the_log_is_reported_as_far_as_it_goes(tape: Tape) -> None:
    tape.add(SENT, hci_log.att(0x40, WRITE + VALUE), kept=8 + 3 + 5)
    tape.send(b"\x0a\x20\0")
    tape.add(RECEIVED, hci_log.att(0x40, b"\x0b" + VALUE), kept=8 + 1 + 4)
    extractor = ValueExtractor()
    (packets,) = LogReader(io.BytesIO(hci_log.btsnoop(tape.packets))).packets()
    values = extractor.receive(packets)
    assert [(one.handle, one.value, one.is_truncated) for one in logged_values(values)] == [
        (0x17, VALUE[:5], True),
        (0x20, VALUE[:4], True),
    ]


def test_other_channels_do_not_confuse(tape: Tape) -> None:
    tape.add(SENT, hci_log.att(0x40, WRITE + b"a channel of another protocol", cid=0x41))
    for fragment in hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE, cid=0x41), 20):
        tape.add(SENT, fragment)
    tape.add(SENT, hci_log.att(0x40, b"\x01\x02\0\0", cid=5))
    tape.send(WRITE + b"ours")
    assert tape.labelled_values() == [(6, 0x52, b"ours")]


def test_a_packet_longer_than_its_frame_is_lost_and_nothing_else(tape: Tape) -> None:
    tape.add(SENT, hci_log.acl(0x40, hci_log.l2cap(WRITE + b"padded") + b"..."))
    tape.send(WRITE + b"whole")
    assert tape.labelled_values() == [(2, 0x52, b"whole")]


def test_what_follows_a_packet_in_its_record_is_no_part_of_it(tape: Tape) -> None:
    tape.add(SENT, hci_log.att(0x40, WRITE + b"abc") + b"\0\0")
    tape.add(SENT, hci_log.att(0x40, b"\x0a\x20\0") + b"\0\0")
    tape.add(RECEIVED, hci_log.att(0x40, b"\x0bread") + b"\0\0")
    for fragment in hci_log.fragments(0x40, hci_log.l2cap(WRITE + VALUE), 20):
        tape.add(SENT, fragment + b"\0")
    extractor = ValueExtractor()
    assert tape.labelled_values(extractor) == [(1, 0x52, b"abc"), (3, 0x0B, b"read"), (6, 0x52, VALUE)]
    assert extractor.reassembler.lost == 0


def test_a_signed_write_is_reported_without_its_signature(tape: Tape) -> None:
    tape.send(b"\xd2\x17\0abc" + bytes(12))
    tape.send(b"\xd2\x17\0short")
    assert tape.labelled_values() == [(1, 0xD2, b"abc"), (2, 0xD2, b"")]


def test_values_come_in_the_order_of_the_log_however_they_were_found(tape: Tape) -> None:
    tape.send(b"\x0a\x20\0")
    tape.receive(b"\x1b\x19\0one")
    tape.receive(b"\x0btwo")
    tape.receive(b"\x1b\x19\0three")
    assert [value for _frame, _opcode, value in tape.labelled_values()] == [b"one", b"two", b"three"]


def test_a_name_is_heard_among_reports_that_repeat_themselves(tape: Tape) -> None:
    tape.event(hci_log.connected(0x40, PAN))
    for name in ("", "", "PONS", "PONS", ""):
        tape.event(hci_log.advertised(PAN, hci_log.named(name) if name else b"\2\1\6"))
    extractor = ValueExtractor()
    tape.labelled_values(extractor)
    assert extractor.connections.devices[0].name == "PONS"


def test_several_reports_in_one_event_are_all_heard(tape: Tape) -> None:
    reports = [hci_log.advertised(who, hci_log.named(who[-2:]))[4:] for who in (PAN, TILT)]
    tape.event(hci_log.le_event(0x02, b"\2" + b"".join(reports)))
    tape.event(hci_log.connected(0x41, TILT))
    extractor = ValueExtractor()
    tape.labelled_values(extractor)
    assert extractor.connections.devices[0].name == "1F"


def test_those_who_were_heard_have_a_bound(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "MAX_REPORTS", 4)
    monkeypatch.setattr(reader, "CHUNK_BYTES", 200)
    for number in range(100):
        tape.event(hci_log.advertised(f"C0:DE:00:00:00:{number:02X}", hci_log.named("x")))
    extractor = ValueExtractor()
    tape.labelled_values(extractor)
    assert len(extractor._seen_reports) < 12


def test_only_packets_of_hci_are_counted(tape: Tape) -> None:
    tape.send(WRITE)
    file = hci_log.section() + hci_log.interface(1) + hci_log.interface(201)
    file += hci_log.enhanced(tape.packets[0], 1) + hci_log.enhanced(tape.packets[0], 201, at=1)
    extractor = ValueExtractor()
    assert tape.labelled_values(extractor, file=file) == [(2, 0x52, b"")]
    assert extractor.packets == 1
