from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.labels import SIG_TAIL
from belvedere.lab.logs.extract import ValueExtractor
from belvedere.lab.logs.reader import LogReader
from belvedere.lab.logs.stream_stats import StreamCounter
from belvedere.lab.logs.summarize import summarize

if TYPE_CHECKING:
    from belvedere.lab.logs.summary import LogSummary

PAN = "C0:DE:00:00:5A:1E"
S = 1_000_000
ANSWERED = [
    (SENT, b"\x02\xb9\0"),
    (RECEIVED, b"\x03\xf7\0"),
    (SENT, b"\x10\1\0\xff\xff\x00\x28"),
    (RECEIVED, b"\x11\x06\x15\0\x19\0\xf0\xff"),
    (SENT, b"\x08\x15\0\x19\0\x03\x28"),
    (RECEIVED, b"\x09\x07\x16\0\x0c\x17\0\xf1\xff"),
]


def labelled_values(*packets: Packet) -> LogSummary:
    log, extractor, counter = LogReader(io.BytesIO(hci_log.btsnoop(packets))), ValueExtractor(), StreamCounter()
    for piece in log.packets():
        counter.receive(extractor.receive(piece), extractor.connections)
    return summarize("phone.log", log, extractor, counter)


def event(at_s: float, data: bytes) -> Packet:
    return Packet(round(at_s * S), RECEIVED, EVENT, data)


def att(at_s: float, direction: int, pdu: bytes, handle: int = 0x40) -> Packet:
    return Packet(round(at_s * S), direction, ACL, hci_log.att(handle, pdu))


def test_all_that_is_known_of_a_device_is_reported() -> None:
    summary = labelled_values(
        event(1, hci_log.advertised(PAN, hci_log.named("PONS"))),
        event(2, hci_log.connected(0x40, PAN)),
        *(att(3, *one) for one in ANSWERED),
        event(8, hci_log.disconnected(0x40, 0x08)),
        event(9, hci_log.connected(0x41, PAN)),
    )
    (device,) = summary.devices
    assert (device.label, device.name, device.has_discovery, device.requested_hash) == (PAN, "PONS", True, False)
    assert [(one.uuid, one.start, one.end) for one in device.services] == [(f"0000fff0{SIG_TAIL}", 0x15, 0x19)]
    assert [(one.uuid, one.handle, one.properties) for one in device.characteristics] == [
        (f"0000fff1{SIG_TAIL}", 0x17, 0x0C)
    ]
    first, second = device.connections
    assert (first.opened_s, first.closed_s, first.reason, first.interval_ms, first.mtu) == (2, 8, 8, 30.0, 185)
    assert (second.handle, second.opened_s, second.closed_s, second.mtu) == (0x41, 9, None, None)


def test_a_stream_has_its_uuid_even_if_that_is_learned_later() -> None:
    write = att(1, SENT, b"\x52\x17\0\2\1"), att(1.05, SENT, b"\x52\x17\0\2\0\3")
    summary = labelled_values(event(0, hci_log.connected(0x40, PAN)), *write, *(att(3, *one) for one in ANSWERED))
    (stream,) = summary.streams
    assert (stream.device, stream.direction, stream.opcode, stream.handle) == (PAN, "sent", 0x52, 0x17)
    assert (stream.uuid, stream.is_host_attribute) == (f"0000fff1{SIG_TAIL}", False)
    assert (stream.count, stream.shortest, stream.longest, stream.median_interval_s) == (2, 2, 3, 0.05)
    assert (stream.first, stream.last, stream.first_frame, stream.last_frame) == (b"\2\1", b"\2\0\3", 2, 3)
    assert (stream.first_s, stream.last_s) == (1, 1.05)


def test_handles_of_the_phones_own_table_are_not_taken_for_the_devices() -> None:
    discovered = (att(3, *one) for one in ANSWERED)
    (stream,) = labelled_values(*discovered, att(4, RECEIVED, b"\x12\x17\0\1")).streams
    assert (stream.uuid, stream.is_host_attribute) == (None, True)


def test_counts_and_errors_are_passed_on() -> None:
    fragment = hci_log.fragments(0x40, hci_log.l2cap(b"\x52\x17\0abc"), 5)[0]
    summary = labelled_values(*[Packet(0, SENT, ACL, fragment)] * 3)
    assert (summary.records, summary.packets, summary.lost, summary.error) == (3, 3, 2, "")
    assert summary.file == "phone.log"


def test_a_name_read_from_the_device_stands_in_for_an_advertised_one() -> None:
    read = [att(1, SENT, b"\x08\1\0\xff\xff\x00\x2a"), att(2, RECEIVED, b"\x09\x06\x03\0PONS")]
    assert labelled_values(*read).devices[0].name == "PONS"
