from __future__ import annotations

import io
import struct

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, COMMAND, EVENT, Packet

from belvedere.lab.logs import reader
from belvedere.lab.logs.datalinks import RECEIVED, SENT, UNKNOWN
from belvedere.lab.logs.reader import LogReader

ADDRESS = "C0:DE:00:00:5A:1E"
LOW_ENERGY, CLASSIC, OTHER_CLASSIC = 0x40, 0x0B, 0x0C
FRAME = hci_log.l2cap(b"\x52\x17\0abc")


def opened(handle: int) -> Packet:
    address = hci_log.air_order(ADDRESS)
    return happened(hci_log.event(3, b"\0" + struct.pack("<H", handle) + address + b"\1\0"))


def happened(data: bytes) -> Packet:
    return Packet(0, RECEIVED, EVENT, data)


def frame(handle: int, boundary: int) -> Packet:
    return Packet(0, SENT, ACL, hci_log.acl(handle, FRAME, boundary=boundary))


def directions(*packets: Packet) -> list[int]:
    """Of the ACL packets, in a capture that does not tell any."""
    log = LogReader(io.BytesIO(hci_log.pcap(packets, linktype=187)))
    found = [way for part in log.packets() for way in part.direction.tolist()]
    return [way for way, packet in zip(found, packets, strict=True) if packet.kind == ACL]


def test_commands_are_sent_and_events_received() -> None:
    packets = [Packet(0, SENT, COMMAND, b"\x03\x0c\0"), happened(hci_log.disconnected(LOW_ENERGY))]
    (found,) = LogReader(io.BytesIO(hci_log.pcap(packets, linktype=187))).packets()
    assert found.direction.tolist() == [SENT, RECEIVED]


@pytest.mark.parametrize("begun", [[], [happened(hci_log.connected(LOW_ENERGY, ADDRESS))]], ids=["untold", "told"])
def test_how_a_frame_of_low_energy_begins_tells_who_sent_it(begun: list[Packet]) -> None:
    packets = [frame(LOW_ENERGY, boundary) for boundary in (0, 2, 1, 3)]
    assert directions(*begun, *packets) == [SENT, RECEIVED, UNKNOWN, UNKNOWN]


def test_a_classic_host_may_begin_a_frame_as_controllers_do() -> None:
    assert directions(opened(CLASSIC), frame(CLASSIC, 2), frame(LOW_ENERGY, 2)) == [UNKNOWN, RECEIVED]


def test_a_classic_host_that_begins_a_frame_otherwise_shows_what_its_controller_sent() -> None:
    packets = [opened(CLASSIC), opened(OTHER_CLASSIC), frame(CLASSIC, 0), frame(CLASSIC, 2), frame(OTHER_CLASSIC, 2)]
    assert directions(*packets) == [SENT, RECEIVED, RECEIVED]


def test_frames_of_low_energy_show_nothing_of_classic_ones() -> None:
    assert directions(opened(CLASSIC), frame(LOW_ENERGY, 0), frame(CLASSIC, 2)) == [SENT, UNKNOWN]


@pytest.mark.parametrize(
    "anew",
    [hci_log.connected(CLASSIC, ADDRESS), hci_log.event(0x0E, b"\1\x03\x0c\0")],
    ids=["another connection", "reset"],
)
@pytest.mark.parametrize("piece_bytes", [1 << 20, 30])
def test_a_handle_is_classic_as_long_as_its_connection(
    anew: bytes, piece_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHUNK_BYTES", piece_bytes)
    packets = [frame(CLASSIC, 2), opened(CLASSIC), frame(CLASSIC, 2), happened(anew), frame(CLASSIC, 2)]
    assert directions(*packets) == [RECEIVED, UNKNOWN, RECEIVED]


def test_adapters_are_known_apart() -> None:
    other = [hci_log.enhanced(one, 187, at=1) for one in (opened(CLASSIC), frame(CLASSIC, 2))]
    first = [hci_log.enhanced(one, 187) for one in (opened(CLASSIC), frame(CLASSIC, 0), frame(CLASSIC, 2))]
    file = hci_log.section() + hci_log.interface(187) * 2 + b"".join(other + first)
    (found,) = LogReader(io.BytesIO(file)).packets()
    assert found.direction.tolist() == [RECEIVED, UNKNOWN, RECEIVED, SENT, RECEIVED]
