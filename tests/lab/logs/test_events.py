from __future__ import annotations

import struct

import pytest
from tests.support.captures import hci_log

from belvedere.lab.logs.events import Closed, Encrypted, Named, Opened, Reset, Updated, parse_events, printable_text

ADDRESS = "C0:DE:00:00:5A:1E"
AIR = hci_log.air_order(ADDRESS)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_all_versions_of_a_new_connection_are_read(version: int) -> None:
    packet = hci_log.connected(0x40, ADDRESS, version=version, interval=24)
    assert parse_events(packet) == [Opened(0x40, ADDRESS, is_central=True, interval_ms=30.0)]


def test_a_phone_may_be_the_one_that_is_connected_to() -> None:
    (opened,) = parse_events(hci_log.connected(0x40, ADDRESS, is_central=False))
    assert isinstance(opened, Opened)
    assert opened.is_central is False


def test_a_classic_connection_is_read_and_one_for_sound_is_not() -> None:
    def packet(link: int) -> bytes:
        return hci_log.event(0x03, b"\0\x0b\0" + AIR + bytes([link, 0]))

    assert parse_events(packet(1)) == [Opened(0x0B, ADDRESS, None, None)]
    assert parse_events(packet(0)) == []


@pytest.mark.parametrize(
    ("packet", "event"),
    [
        (hci_log.disconnected(0x40, 0x08), Closed(0x40, 0x08)),
        (hci_log.le_event(0x03, struct.pack("<BHHHH", 0, 0x40, 12, 0, 42)), Updated(0x40, 15.0)),
        (hci_log.event(0x08, b"\0\x40\0\1"), Encrypted(0x40)),
        (hci_log.event(0x59, b"\0\x40\0\1\x10"), Encrypted(0x40)),
        (hci_log.event(0x07, b"\0" + AIR + b"PONS".ljust(248, b"\0")), Named(ADDRESS, "PONS")),
        (hci_log.event(0x2F, b"\1" + AIR + bytes(8) + hci_log.named("PONS").ljust(240, b"\0")), Named(ADDRESS, "PONS")),
        (hci_log.event(0x0E, b"\1\x03\x0c\0"), Reset()),
        (hci_log.advertised(ADDRESS, b"\2\1\6" + hci_log.named("PONS")), Named(ADDRESS, "PONS")),
    ],
)
def test_what_else_tells_of_connections_or_names_is_read(packet: bytes, event: object) -> None:
    assert parse_events(packet) == [event]


@pytest.mark.parametrize(
    "packet",
    [
        hci_log.event(0x05, b"\x0c\x40\0\x13"),
        hci_log.event(0x0E, b"\1\x03\x0c\x0c"),
        hci_log.event(0x0E, b"\1\x09\x10\0"),
        hci_log.event(0x08, b"\0\x40\0\0"),
        hci_log.le_event(0x01, b"\x3e" + bytes(17)),
        hci_log.advertised(ADDRESS, b"\2\1\6"),
    ],
)
def test_failures_and_what_tells_nothing_are_no_events(packet: bytes) -> None:
    assert parse_events(packet) == []


@pytest.mark.parametrize("packet", [hci_log.connected(0x40, ADDRESS), hci_log.disconnected(0x40)])
def test_an_event_cut_before_what_matters_tells_nothing(packet: bytes) -> None:
    assert all(parse_events(packet[:end]) == [] for end in range(3, 6))


def test_extended_reports_tell_names_too() -> None:
    data = hci_log.named("PONS")
    head = b"\1\x13\0\1" + AIR + b"\1\0\xff\x7f\xc0\0\0\0" + bytes(6) + bytes([len(data)])
    assert parse_events(hci_log.le_event(0x0D, head + data)) == [Named(ADDRESS, "PONS")]


def test_one_event_may_hold_several_reports() -> None:
    report = hci_log.advertised(ADDRESS, hci_log.named("PONS"))[4:]
    assert parse_events(hci_log.le_event(0x02, b"\2" + report * 2)) == [Named(ADDRESS, "PONS")] * 2


def test_a_complete_name_counts_more_than_a_short_one() -> None:
    for data in (b"\3\x08PO" + hci_log.named("PONS"), hci_log.named("PONS") + b"\3\x08PO"):
        assert parse_events(hci_log.advertised(ADDRESS, data)) == [Named(ADDRESS, "PONS")]


def test_a_name_is_fit_for_a_terminal() -> None:
    assert printable_text(b"a\x1b[31mb\xff\0rest") == "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}"
