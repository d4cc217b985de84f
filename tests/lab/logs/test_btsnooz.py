from __future__ import annotations

import base64
import io
import struct
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.logs.btsnooz import write_section
from belvedere.lab.logs.records import NotALogError

if TYPE_CHECKING:
    from pathlib import Path

PACKETS = [
    Packet(5_000_000, RECEIVED, EVENT, hci_log.connected(0x40, "C0:DE:00:00:5A:1E")),
    Packet(5_250_000, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\1")),
    Packet(5_250_100, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0\x82")),
]
TYPES = {(EVENT, RECEIVED): 0x10, (ACL, RECEIVED): 0x11, (ACL, SENT): 0x21}


def section(version: int = 2, packets: list[Packet] = PACKETS) -> bytes:
    """The lines of a bug report with these packets."""
    records, before = b"", packets[0].time_us
    for one in packets:
        size, delay, kind = len(one.data) + 1, one.time_us - before, TYPES[one.kind, one.direction]
        sizes = struct.pack("<H", size) if version == 1 else struct.pack("<HH", size, size)
        records += sizes + struct.pack("<Ib", delay, kind) + one.data
        before = one.time_us
    packed = struct.pack("<bQ", version, packets[-1].time_us) + zlib.compress(records)
    lines = base64.encodebytes(packed)
    return (
        b"some line\n--- BEGIN:BTSNOOP_LOG_SUMMARY (9 bytes in) ---\n"
        + lines
        + b"--- END:BTSNOOP_LOG_SUMMARY ---\nmore\n"
    )


def written(report: bytes) -> bytes | None:
    target = io.BytesIO()
    return target.getvalue() if write_section(io.BytesIO(report), target) else None


@pytest.mark.parametrize("version", [1, 2])
def test_the_section_becomes_the_btsnoop_log_that_it_was(version: int) -> None:
    assert written(section(version)) == hci_log.btsnoop(PACKETS)


def test_a_report_without_the_section_has_no_log() -> None:
    assert written(b"== dumpstate\nnothing here\n") is None


def test_a_section_that_is_cut_short_is_read_as_far_as_it_goes() -> None:
    whole = zlib.decompress(base64.b64decode(b"".join(section().split(b"\n")[2:-3]))[9:])
    cut = struct.pack("<bQ", 2, PACKETS[-1].time_us) + zlib.compress(whole[:-3])
    report = b"--- BEGIN:BTSNOOP_LOG_SUMMARY\n" + base64.encodebytes(cut)
    log = written(report)
    assert log is not None
    assert len(log) == len(hci_log.btsnoop(PACKETS[:2]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"!!!!\n", "damaged"),
        (base64.b64encode(b"\x02" + bytes(8) + b"not deflated"), "damaged"),
        (base64.b64encode(b"\x07" + bytes(20)), "version 7"),
        (base64.b64encode(b"\x02"), "damaged"),
    ],
)
def test_a_damaged_section_is_said_to_be_so(content: bytes, words: str) -> None:
    with pytest.raises(NotALogError, match=words):
        write_section(io.BytesIO(b"--- BEGIN:BTSNOOP_LOG_SUMMARY\n" + content), io.BytesIO())


def test_a_section_that_would_expand_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("belvedere.lab.logs.btsnooz.MAX_DECODED_BYTES", 1 << 16)
    bomb = struct.pack("<bQ", 2, 0) + zlib.compress(bytes(1 << 22))
    log = written(b"--- BEGIN:BTSNOOP_LOG_SUMMARY\n" + base64.encodebytes(bomb))
    assert log is not None
    assert len(log) < 1 << 17
    monkeypatch.setattr("belvedere.lab.logs.btsnooz.MAX_ENCODED_BYTES", 100)
    with pytest.raises(NotALogError, match="too long"):
        write_section(io.BytesIO(section()), io.BytesIO())


def test_however_short_its_records_are_they_do_not_fill_the_memory(tmp_path: Path) -> None:
    records = struct.pack("<HIb", 1, 0, 0x10) * 100_000
    packed = struct.pack("<bQ", 1, 0) + zlib.compress(records)
    report = b"--- BEGIN:BTSNOOP_LOG_SUMMARY\n" + base64.encodebytes(packed)
    with (tmp_path / "log").open("wb") as target:
        tracemalloc.start()
        try:
            write_section(io.BytesIO(report), target)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 5 * len(records)
