"""The kernel's bytes, as the specifications lay them out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.lab.doctor.mgmt import (
    LOAD_PARAMETERS,
    ConnectionParameters,
    MgmtStatus,
    UnitAddress,
    load_parameters_command,
    parse_connection_parameters,
    status_of,
)

UNIT = "C0:DE:00:00:5A:1E"
AIR = bytes.fromhex("1e5a0000dec0")  # the same, as it goes over the air


def monitored(event: bytes, code: int = 3) -> bytes:
    """A packet of the monitor's channel: code, adapter, length."""
    return struct.pack("<HHH", code, 0, len(event)) + event


def le_meta(body: bytes) -> bytes:
    return monitored(bytes([0x3E, len(body)]) + body)


COMPLETE = bytes.fromhex("01 00 4000 00 01") + AIR + bytes.fromhex("1800 0000 2a00 00")
LE_ENHANCED = bytes.fromhex("0a 00 4000 00 01") + AIR + bytes(12) + bytes.fromhex("0600 0000 4800 00")
LE_UPDATE = bytes.fromhex("03 00 4000 0c00 0000 4800")


def test_a_short_interval_is_asked_for_byte_by_byte() -> None:
    packet = load_parameters_command(1, [UnitAddress(UNIT, is_random=True)])
    assert packet.hex(" ") == "35 00 01 00 11 00 01 00 1e 5a 00 00 de c0 02 06 00 0c 00 00 00 48 00"


def test_two_units_are_asked_for_at_once_each_with_its_kind_of_address() -> None:
    packet = load_parameters_command(
        0, [UnitAddress(UNIT, is_random=True), UnitAddress("00:11:22:33:44:55", is_random=False)]
    )
    assert packet[6:8] == b"\x02\x00"
    assert packet[8 + 15 : 8 + 22].hex() == "55443322110001"


@pytest.mark.parametrize(
    ("packet", "status"),
    [
        ("01 00 00 00 03 00 35 00 00", MgmtStatus.SUCCESS),
        ("02 00 00 00 03 00 35 00 14", MgmtStatus.PERMISSION_DENIED),
        ("01 00 00 00 03 00 01 00 00", None),
        ("06 00 00 00 04 00 d1 0a 00 00", None),
        ("01 00", None),
    ],
    ids=["done", "denied", "another command's", "an event", "cut short"],
)
def test_the_kernels_answer_is_told_from_whatever_else_it_says(packet: str, status: int | None) -> None:
    assert status_of(bytes.fromhex(packet), LOAD_PARAMETERS) == status


@pytest.mark.parametrize(
    ("event", "parameters"),
    [
        (COMPLETE, ConnectionParameters(UNIT, 0x40, 0.030, 0.42)),
        (LE_ENHANCED, ConnectionParameters(UNIT, 0x40, 0.0075, 0.72)),
        (b"\x29" + LE_ENHANCED[1:] + bytes(3), ConnectionParameters(UNIT, 0x40, 0.0075, 0.72)),
        (LE_UPDATE, ConnectionParameters("", 0x40, 0.015, 0.72)),
    ],
    ids=["complete", "enhanced", "enhanced v2", "updated"],
)
def test_what_was_granted_is_read_from_every_event_that_tells_it(
    event: bytes, parameters: ConnectionParameters
) -> None:
    found = parse_connection_parameters(le_meta(event))
    assert found is not None
    assert (found.address, found.handle) == (parameters.address, parameters.handle)
    assert found.interval_s == pytest.approx(parameters.interval_s)
    assert found.supervision_s == pytest.approx(parameters.supervision_s)


@pytest.mark.parametrize(
    "packet",
    [
        le_meta(COMPLETE[:1] + b"\x02" + COMPLETE[2:]),
        le_meta(LE_UPDATE[:1] + b"\x3b" + LE_UPDATE[2:]),
        le_meta(b"\x02" + bytes(20)),
        monitored(b"\x0e\x04\x01\x03\x0c\x00"),
        monitored(b"\x3e\x13" + COMPLETE, code=2),
    ],
    ids=["failed", "update failed", "an advertisement", "a command's end", "a command"],
)
def test_a_packet_about_something_else_grants_nothing(packet: bytes) -> None:
    assert parse_connection_parameters(packet) is None


@given(st.binary(max_size=60))
def test_no_bytes_whatsoever_upset_it(packet: bytes) -> None:
    parse_connection_parameters(packet)
    parse_connection_parameters(le_meta(packet))
    status_of(packet, LOAD_PARAMETERS)


@given(st.sampled_from([COMPLETE, LE_ENHANCED, LE_UPDATE]), st.integers(0, 40))
def test_an_event_that_is_cut_short_grants_nothing(event: bytes, length: int) -> None:
    if length < len(event) - 1:
        assert parse_connection_parameters(le_meta(event[:length])) is None or event is not LE_UPDATE
