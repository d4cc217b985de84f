from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.errors import OwnerError
from belvedere.lab.labels import SIG_TAIL
from belvedere.lab.logs.analysis import LogAnalysis, Selection
from belvedere.lab.streams import Sample

if TYPE_CHECKING:
    from pathlib import Path

PAN, TILT = "C0:DE:00:00:5A:1E", "C0:DE:00:00:5A:1F"
DISCOVERY = ((SENT, b"\x08\x15\0\x19\0\x03\x28"), (RECEIVED, b"\x09\x07\x16\0\x0c\x17\0\xf1\xff"))
PACKETS = [
    Packet(0, RECEIVED, EVENT, hci_log.advertised(PAN, hci_log.named("PONS-PAN"))),
    Packet(0, RECEIVED, EVENT, hci_log.connected(0x40, PAN)),
    Packet(0, RECEIVED, EVENT, hci_log.connected(0x41, TILT)),
    Packet(1_500_000, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\1")),
    Packet(1_600_000, SENT, ACL, hci_log.att(0x41, b"\x52\x17\0\2\2")),
    Packet(1_700_000, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0\x82")),
    Packet(1_800_000, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\0\0"), kept=12),
    *(Packet(2_000_000, way, ACL, hci_log.att(0x40, pdu)) for way, pdu in DISCOVERY),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "phone.log"
    path.write_bytes(hci_log.btsnoop(PACKETS))
    return path


def test_the_values_come_with_device_and_uuid_even_if_that_is_learned_later(log: Path) -> None:
    labelled_values = [
        (one.logged.frame, one.device, one.uuid, one.logged.value)
        for one in LogAnalysis(log).labelled_values(Selection())
    ]
    assert labelled_values == [
        (4, PAN, f"0000fff1{SIG_TAIL}", b"\2\1"),
        (5, TILT, None, b"\2\2"),
        (6, PAN, None, b"\x82"),
        (7, PAN, f"0000fff1{SIG_TAIL}", b"\2"),
    ]


def declared(number: int) -> list[Packet]:
    """A discovery that finds this behind handle 0x17."""
    requested, answered = (pdu for _way, pdu in DISCOVERY)
    answer = answered[:-2] + struct.pack("<H", number)
    return [Packet(0, way, ACL, hci_log.att(0x40, pdu)) for way, pdu in ((SENT, requested), (RECEIVED, answer))]


def test_a_value_has_the_uuid_that_its_handle_had_when_it_went(tmp_path: Path) -> None:
    connected, write = PACKETS[1], PACKETS[3]
    packets = [connected, write, *declared(0xFFE1), write, connected, write, *declared(0xAAA1), write]
    path = tmp_path / "phone.log"
    path.write_bytes(hci_log.btsnoop(packets))
    analysis = LogAnalysis(path)
    old, new = f"0000ffe1{SIG_TAIL}", f"0000aaa1{SIG_TAIL}"
    assert [one.uuid for one in analysis.labelled_values(Selection())] == [old, old, old, new]
    assert [(one.uuid, len(one.samples)) for one in analysis.streams()] == [(old, 3), (new, 1)]
    (found,) = analysis.summary.streams
    assert (found.uuid, found.earlier_uuids) == (new, (old,))


def test_streams_hold_whole_values_for_inference(log: Path) -> None:
    first, *others = LogAnalysis(log).streams()
    assert (first.device, first.direction, first.opcode, first.handle) == (PAN, "sent", 0x52, 0x17)
    assert first.samples == (Sample(4, 1.5, b"\2\1"),)
    assert [(one.device, one.direction, len(one.samples)) for one in others] == [
        (TILT, "sent", 1),
        (PAN, "received", 1),
    ]


def test_streams_have_a_bound(log: Path) -> None:
    assert sum(len(one.samples) for one in LogAnalysis(log).streams(limit=2)) == 2


def test_only_what_is_selected_is_reported(log: Path) -> None:
    analysis = LogAnalysis(log)
    for word in ("pons-pan", PAN.lower(), PAN):
        selection = analysis.select([word], [])
        assert [one.logged.frame for one in analysis.labelled_values(selection)] == [4, 6, 7]
        assert [one.label for one in analysis.summary_of(selection).devices] == [PAN]
        assert [one.handle for one in analysis.summary_of(selection).streams] == [0x17, 0x19]
    selection = analysis.select([], [0x19])
    assert [one.logged.frame for one in analysis.labelled_values(selection)] == [6]
    assert [one.handle for one in analysis.summary_of(selection).streams] == [0x19]


def test_a_device_that_is_not_in_the_log_is_answered_with_those_that_are(log: Path) -> None:
    with pytest.raises(OwnerError, match=rf"no device PONS-9; available: {PAN} \(PONS-PAN\), {TILT}"):
        LogAnalysis(log).select(["PONS-9"], [])


def test_a_handle_that_is_not_in_the_log_is_answered_with_those_that_are(log: Path) -> None:
    with pytest.raises(OwnerError, match=r"no values over handle 0x0099; available: 0x0017, 0x0019$"):
        LogAnalysis(log).select([PAN], [0x99])


def test_of_many_handles_some_are_named_and_the_others_counted(tmp_path: Path) -> None:
    path = tmp_path / "phone.log"
    many = [Packet(0, SENT, ACL, hci_log.att(0x40, bytes([0x52, number, 0, 1]))) for number in range(1, 31)]
    path.write_bytes(hci_log.btsnoop(many))
    with pytest.raises(OwnerError, match=r"available: 0x0001, .*, 0x000c and 18 more$"):
        LogAnalysis(path).select([], [0x99])


def test_a_log_is_called_what_its_owner_calls_it(log: Path) -> None:
    analysis = LogAnalysis(log, name="-")
    assert analysis.summary.file == "-"
    with pytest.raises(OwnerError, match=r"^-: no values over handle"):
        analysis.select([], [0x99])
    log.write_bytes(b"")
    with pytest.raises(OwnerError, match=r"^-: an empty file"):
        LogAnalysis(log, name="-")


def test_a_capture_of_something_else_is_called_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "sniffed.pcapng"
    path.write_bytes(hci_log.pcapng([], linktype=272))
    with pytest.raises(OwnerError, match="radio packets"):
        LogAnalysis(path)


def test_progress_is_reported_in_bytes(log: Path) -> None:
    labelled_values: list[int] = []
    LogAnalysis(log, labelled_values.append)
    assert labelled_values[-1] == log.stat().st_size - 24


def test_a_log_that_grows_meanwhile_is_read_as_far_as_it_was_at_first(log: Path) -> None:
    analysis = LogAnalysis(log)
    with log.open("ab") as file:
        file.write(hci_log.btsnoop_record(PACKETS[3]))
    assert [one.logged.frame for one in analysis.labelled_values(Selection())] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"some text\n" * 9, "not a Bluetooth log"),
        (hci_log.btsnoop([]), "contains no Bluetooth HCI packets"),
        (hci_log.section() + hci_log.interface(1), "not a Bluetooth capture"),
        (hci_log.btsnoop(PACKETS)[:30], r"contains no Bluetooth HCI packets \(cut short in record 1\)"),
    ],
)
def test_what_holds_no_packets_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(OwnerError, match=words) as raised:
        LogAnalysis(path)
    assert "\n" not in str(raised.value)


def test_what_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(OwnerError, match=str(path)):
            LogAnalysis(path)


GOOD = {
    "h1": hci_log.btsnoop(PACKETS, datalink=1001),
    "h4": hci_log.btsnoop(PACKETS),
    "monitor": hci_log.btsnoop(PACKETS, datalink=2001),
    "pcap": hci_log.pcap(PACKETS, linktype=187),
    "pcapng": hci_log.pcapng(PACKETS, linktype=254, order=">"),
}
ATT = st.builds(
    hci_log.att,
    st.integers(0, 0xFFF),
    st.builds(
        lambda opcode, rest: bytes([opcode]) + rest,
        st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 27, 32, 33, 35, 82, 210]),
        st.binary(max_size=40),
    ),
)
PIECES = st.builds(hci_log.acl, st.integers(0, 3), st.binary(max_size=20), boundary=st.integers(0, 3))
EVENTS = st.builds(
    hci_log.event, st.sampled_from([3, 5, 7, 8, 14, 0x2F, 0x3E, 0x59]), st.binary(max_size=60).map(bytes)
)
ANYTHING = st.one_of(
    st.tuples(st.just(ACL), st.one_of(ATT, PIECES)),
    st.tuples(st.just(EVENT), EVENTS),
    st.tuples(st.just(9), st.binary()),
)


def read(folder: Path, content: bytes) -> None:
    """Everything that can be asked of a file; only an OwnerError of one line may come of it."""
    path = folder / f"{random.random()}"
    path.write_bytes(content)
    complaint = ""
    try:
        analysis = LogAnalysis(path)
        assert analysis.summary.records >= analysis.summary.packets > 0
        analysis.streams(limit=1000)
    except OwnerError as error:
        complaint = str(error)
    path.unlink()
    assert "\n" not in complaint


@given(packets=st.lists(st.tuples(st.integers(0, 1), ANYTHING, st.none() | st.integers(0, 12)), max_size=12))
@settings(max_examples=200, deadline=None)
def test_whatever_the_packets_are_they_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, packets: list[tuple[int, tuple[int, bytes], int | None]]
) -> None:
    made = [Packet(offset, way, kind, data, kept) for offset, (way, (kind, data), kept) in enumerate(packets)]
    read(tmp_path_factory.getbasetemp(), hci_log.btsnoop(made))


@given(
    kind=st.sampled_from(sorted(GOOD)), spoils=st.lists(st.tuples(st.integers(0), st.binary(min_size=1, max_size=8)))
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_wrong_in_a_file_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str, spoils: list[tuple[int, bytes]]
) -> None:
    content = bytearray(GOOD[kind])
    for offset, spoil in spoils:
        start = offset % len(content)
        content[start : start + len(spoil)] = spoil
    read(tmp_path_factory.getbasetemp(), bytes(content))


@given(start=st.sampled_from([b"", *(one[:24] for one in GOOD.values())]), rest=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes) -> None:
    read(tmp_path_factory.getbasetemp(), start + rest)


def test_many_connections_and_handles_stay_within_bounds(tmp_path: Path) -> None:
    chance = random.Random(1)
    packets = []
    for offset in range(30_000):
        handle = chance.randrange(0xF00)
        address = chance.randbytes(6).hex(":")
        packets.append(Packet(offset, RECEIVED, EVENT, hci_log.connected(handle, address)))
        packets.append(
            Packet(offset, SENT, ACL, hci_log.att(handle, struct.pack("<BH", 0x52, offset % 0x10000) + b"x"))
        )
    path = tmp_path / "phone.log"
    path.write_bytes(hci_log.btsnoop(packets))
    summary = LogAnalysis(path).summary
    assert len(summary.streams) == 5_000
    assert summary.uncounted_values == 25_000
    assert sum(len(one.connections) for one in summary.devices) == 20_000
