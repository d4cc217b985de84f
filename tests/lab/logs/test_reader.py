from __future__ import annotations

import io

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, SENT, Packet

from belvedere.lab.logs.reader import CHUNK_BYTES, LogReader
from belvedere.lab.logs.records import NotALogError

PACKETS = [Packet(offset, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0" + bytes([offset]))) for offset in range(5)]
FILES = {
    "btsnoop": hci_log.btsnoop(PACKETS),
    "pcap": hci_log.pcap(PACKETS),
    "pcapng": hci_log.pcapng(PACKETS),
}


def frames_in(log: LogReader) -> list[int]:
    return [frame for packets in log.packets() for frame in packets.frame.tolist()]


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_is_known_by_its_first_bytes(kind: str) -> None:
    log = LogReader(io.BytesIO(FILES[kind]))
    assert frames_in(log) == [1, 2, 3, 4, 5]
    assert (log.frames, log.error) == (5, "")


@pytest.mark.parametrize("kind", FILES)
def test_a_log_cut_short_anywhere_is_read_as_far_as_it_goes_and_says_so(kind: str) -> None:
    whole = FILES[kind]
    shortest = len(hci_log.btsnoop([])) if kind == "btsnoop" else 24 if kind == "pcap" else 28
    log = LogReader(io.BytesIO(whole))
    for end in range(shortest, len(whole)):
        log = LogReader(io.BytesIO(whole[:end]))
        frames = frames_in(log)
        assert frames == list(range(1, len(frames) + 1))
        assert not log.error or log.error == f"cut short in record {len(frames) + 1}"
    assert log.error == "cut short in record 5"


class Trickle(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 24))


@pytest.mark.parametrize("kind", FILES)
def test_pieces_may_end_anywhere(kind: str) -> None:
    assert frames_in(LogReader(Trickle(FILES[kind]))) == [1, 2, 3, 4, 5]


def test_a_block_that_nobody_reads_is_skipped_however_long_it_is() -> None:
    long = hci_log.block(0x0BAE, bytes(2 * CHUNK_BYTES))
    start = hci_log.section() + hci_log.interface(201)
    log = LogReader(io.BytesIO(start + long + hci_log.enhanced(PACKETS[0], 201)))
    assert frames_in(log) == [1]
    assert not log.error


def test_damage_is_reported_with_where_it_is() -> None:
    log = LogReader(io.BytesIO(FILES["btsnoop"] + b"\xff" * 24))
    assert frames_in(log) == [1, 2, 3, 4, 5]
    assert log.error.startswith("damaged after record 5")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"", "empty"),
        (b"PK\3\4...", "zip archive"),
        (b"\x1f\x8b...", "gunzip"),
        (b"BZh9...", "bunzip2"),
        (b"\xfd7zXZ\0...", "unxz"),
        (b"7z\xbc\xaf\x27\x1c", "7z archive"),
        (b"Rar!\x1a\x07", "rar archive"),
        (b"(\xb5/\xfd....", "unzstd"),
        (b"%PDF-1.7", "PDF"),
        (b"hello, world", "not a Bluetooth log"),
        (b"b", "not a Bluetooth log"),
    ],
)
def test_what_is_no_log_is_told_from_it(start: bytes, words: str) -> None:
    with pytest.raises(NotALogError, match=words):
        LogReader(io.BytesIO(start))
