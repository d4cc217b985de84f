from __future__ import annotations

import io
import struct

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.logs.packetlogger import byte_order
from belvedere.lab.logs.reader import LogReader

PACKETS = [
    Packet(1_700_000_000_000_000, RECEIVED, EVENT, hci_log.connected(0x40, "C0:DE:00:00:5A:1E")),
    Packet(1_700_000_000_250_000, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\1")),
    Packet(1_700_000_000_250_100, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0\x82")),
]
TYPES = {(EVENT, RECEIVED): 1, (ACL, SENT): 2, (ACL, RECEIVED): 3}


def record(order: str, time_us: int, kind: int, data: bytes) -> bytes:
    return struct.pack(f"{order}IIIB", 9 + len(data), *divmod(time_us, 1_000_000), kind) + data


def pklg(order: str, packets: list[Packet] = PACKETS) -> bytes:
    return b"".join(record(order, one.time_us, TYPES[one.kind, one.direction], one.data) for one in packets)


@pytest.mark.parametrize("order", ["<", ">"])
def test_packets_are_read_with_their_times_and_directions(order: str) -> None:
    note = record(order, 1_700_000_000_000_000, 0xFC, b"a note")
    log = LogReader(io.BytesIO(pklg(order) + note))
    (packets,) = log.packets()
    assert packets.time_ns.tolist() == [*(1000 * one.time_us for one in PACKETS), 1_700_000_000_000_000_000]
    assert packets.kind.tolist() == [EVENT, ACL, ACL, 0]
    assert packets.direction.tolist()[:3] == [RECEIVED, SENT, RECEIVED]
    first = packets.view.data[packets.offset[0] : packets.offset[0] + packets.length[0]]
    assert first == PACKETS[0].data
    assert not log.error


@pytest.mark.parametrize("order", ["<", ">"])
def test_its_format_is_known_by_its_first_record(order: str) -> None:
    assert byte_order(pklg(order)[:24]) == order


@pytest.mark.parametrize("start", [b"", b"hello, world and so on", bytes(24), b"\xff" * 24, b"PK\3\4" + bytes(20)])
def test_other_files_are_told_from_it(start: bytes) -> None:
    assert not byte_order(start)


def test_a_log_cut_short_or_damaged_is_read_as_far_as_it_goes() -> None:
    log = LogReader(io.BytesIO(pklg("<")[:-1]))
    assert [len(packets.frame) for packets in log.packets()] == [2]
    assert log.error == "cut short in record 3"
    log = LogReader(io.BytesIO(pklg("<") + b"\xff" * 20))
    assert [len(packets.frame) for packets in log.packets()] == [3]
    assert log.error.startswith("damaged after record 3")
