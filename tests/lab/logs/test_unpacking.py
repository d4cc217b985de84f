"""The log is found in what people have, whatever it is called; and whatever anybody packs, little is unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.lab.logs.test_btsnooz import section
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, SENT, Packet

from belvedere.errors import OwnerError
from belvedere.lab.logs import unpacking
from belvedere.lab.logs.analysis import LogAnalysis
from belvedere.lab.logs.unpacking import found_log, printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG = hci_log.btsnoop([Packet(1, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\1"))])
LONGER = hci_log.btsnoop([Packet(at, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\1")) for at in range(5)])
REPORT = b"========================================================\n== dumpstate\n"


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, compression)
    return file.getvalue()


def tarred(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def read(folder: Path, content: bytes) -> tuple[bytes, str, tuple[str, ...]]:
    """The log, its name, and the names of others."""
    path = folder / "file"
    path.write_bytes(content)
    with found_log(path, "file") as log:
        return log.path.read_bytes(), log.inside, log.others


def refused(folder: Path, content: bytes) -> str:
    with pytest.raises(OwnerError) as error:
        read(folder, content)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "FS/data/misc/bluetooth/logs/btsnoop_hci.log",
        "FS/data/log/bt/btsnoop_hci.log",
        "FS/data/persist_log/DCS/de/network_logs/bt/BT_HCI_2026_0719_111441.cfa",
        "anywhere/of/any/name",
    ],
)
def test_a_bug_report_is_searched_by_content_wherever_its_maker_puts_the_log(tmp_path: Path, name: str) -> None:
    report = zipped(("version.txt", b"2.0"), ("bugreport-x.txt", REPORT), (name, LOG), ("FS/data/anr/x", b"x" * 999))
    assert read(tmp_path, report) == (LOG, name, ())


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_log_is_read(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    assert read(tmp_path, compress(LOG))[0] == LOG


def test_archives_within_archives_are_searched(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(tarred(("a/readme", b"hello"), ("a/x.pklg", LOG))))[:2] == (LOG, "a/x.pklg")
    inner = zipped(("FS/data/log/bt/btsnoop_hci.log", LOG))
    assert read(tmp_path, zipped(("dumpState/bugreport.zip", inner)))[0] == LOG


def test_a_log_in_a_bug_report_as_text_is_decoded(tmp_path: Path) -> None:
    log, name, _others = read(tmp_path, REPORT + section())
    assert log.startswith(b"btsnoop\0")
    assert name == "the btsnooz section"
    assert read(tmp_path, zipped(("bugreport.txt", REPORT + section())))[:2] == (log, "bugreport.txt")


def test_a_log_itself_is_read_where_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, LOG) == (LOG, "", ())
    assert read(tmp_path, b"hello") == (b"hello", "", ())  # what it is, the reader says


def test_of_several_logs_the_current_one_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    report = zipped(("bt/btsnoop_hci.log", LOG), ("bt/btsnoop_hci.log.last", LONGER))
    assert read(tmp_path, report) == (LOG, "bt/btsnoop_hci.log", ("bt/btsnoop_hci.log.last",))
    report = zipped(("bt/one.cfa", LOG), ("bt/two.cfa", LONGER))
    assert read(tmp_path, report) == (LONGER, "bt/two.cfa", ("bt/one.cfa",))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zipped(("version.txt", b"2.0"), ("bugreport-x.txt", REPORT)), "an archive without a Bluetooth log"),
        (tarred(("readme", b"hello")), "an archive without a Bluetooth log"),
        (gzip.compress(b"hello"), "a compressed file without a Bluetooth log"),
        (REPORT, "a bug report as text without a Bluetooth log"),
    ],
)
def test_where_there_is_no_log_it_says_where_one_would_be(tmp_path: Path, content: bytes, what: str) -> None:
    message = refused(tmp_path, content)
    assert what in message
    assert "FS/data/log/bt/" in message
    assert "Bluetooth HCI snoop log" in message


@pytest.mark.parametrize(
    "content",
    [
        b"PK\3\4 and no more",
        gzip.compress(LOG)[:-9],
        b"\x1f\x8b\x08 nothing",
        b"BZh9 nothing",
        b"\xfd7zXZ\0 nothing",
        zipped(("a", LOG))[:-30],
        zipped(("a", LOG), compression=zipfile.ZIP_STORED).replace(LOG[-5:], b"\0\0\0\0\0"),
    ],
)
def test_what_is_damaged_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    assert "cannot be unpacked" in refused(tmp_path, content)


def test_an_archive_with_a_password_says_so(tmp_path: Path) -> None:
    archive = bytearray(zipped(("a", LOG)))
    for header, flags_at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        archive[archive.index(header) + flags_at] |= 1
    assert "needs a password" in refused(tmp_path, bytes(archive))


def test_what_expands_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_LOG_BYTES", 1 << 20)
    bomb = gzip.compress(LOG + bytes(3 << 20))
    assert "is larger than" in refused(tmp_path, bomb)
    assert "is larger than" in refused(tmp_path, zipped(("a", LOG + bytes(3 << 20))))
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 1 << 20)
    many = zipped(*((f"a{at}.gz", gzip.compress(bytes(1 << 19))) for at in range(9)))
    assert "it expands to more than" in refused(tmp_path, many)


def test_archives_are_not_opened_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nested = LOG
    for _ in range(unpacking.MAX_DEPTH + 2):
        nested = zipped(("inner.zip", nested))
    assert "without a Bluetooth log" in refused(tmp_path, nested)
    monkeypatch.setattr(unpacking, "MAX_ENTRIES", 3)
    assert "without a Bluetooth log" in refused(tmp_path, zipped(*((f"x{at}", b"") for at in range(9)), ("log", LOG)))
    assert "without a Bluetooth log" in refused(tmp_path, tarred(*((f"x{at}", b"") for at in range(9)), ("log", LOG)))


def test_nothing_is_left_behind_and_nothing_is_written_where_an_archive_says(tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    path.write_bytes(zipped(("../../escaped.log", LOG)))
    with found_log(path, "report.zip") as log:
        assert LogAnalysis(log.path).summary.packets == 1
        folder = log.path.parent
        assert folder != tmp_path
    assert not folder.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["report.zip"]


def test_names_from_archives_are_printable() -> None:
    assert printable("a\x1b[2Jb") == "a\N{REPLACEMENT CHARACTER}[2Jb"


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(OwnerError, match="nowhere: No such file"), found_log(tmp_path / "nowhere", "nowhere"):
        pass


def test_an_archive_with_a_list_of_millions_of_files_is_refused_before_the_list_is_read(tmp_path: Path) -> None:
    """A few kilobytes, compressed, would take gigabytes of memory."""
    entry = b"PK\1\2" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    count = unpacking.MAX_READ_BYTES // len(entry) + 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, count * len(entry), 4, 0)
    assert "list of files is too long" in refused(tmp_path, b"PK\3\4" + count * entry + end)


def test_a_name_of_any_length_is_refused_before_it_is_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, unpacking.MAX_READ_BYTES + 1024
    content = header.tobuf(tarfile.GNU_FORMAT) + b"a" * (header.size + 1024)
    assert "list of files is too long" in refused(tmp_path, content + tarred(("log", LOG)))


def test_an_entry_whose_time_is_none_is_older_than_all_others(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content, changed in (("timeless", LONGER, "inf"), ("old", LOG, "1")):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), {"mtime": changed}
            archive.addfile(info, io.BytesIO(content))
    assert read(tmp_path, file.getvalue()) == (LOG, "old", ("timeless",))
