"""Reads a log of any supported format in chunks, so that memory does not grow with the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from belvedere.lab.logs import btsnoop, packetlogger, pcap
from belvedere.lab.logs.datalinks import Packets, unwrap
from belvedere.lab.logs.directions import DirectionGuesser
from belvedere.lab.logs.pcapng import PcapngReader
from belvedere.lab.logs.records import NotALogError, RecordReader
from belvedere.lab.logs.usb import UsbDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 21
"""Large enough that the overhead of numpy's calls is small, small enough to stay in a processor's cache."""

HEADER_BYTES = 24  # of the longest file header
PCAPNG_MAGIC = b"\n\r\r\n"

OTHER_FILE_TYPES = {
    b"": "an empty file",
    b"PK\3\4": "a zip archive within too many others; unpack the log",
    b"\x1f\x8b": "compressed more than once; gunzip it first",
    b"BZh": "compressed more than once; bunzip2 it first",
    b"\xfd7zXZ": "compressed more than once; unxz it first",
    b"7z\xbc\xaf": "a 7z archive; unpack the log",
    b"Rar!": "a rar archive; unpack the log",
    b"(\xb5/\xfd": "compressed; unzstd it first",
    b"bplist": "a property list of Apple's; give the .pklg file that PacketLogger saves",
    b"<?xml": "an XML document; give the log itself, such as a phone's btsnoop_hci.log",
    b"{": "a JSON document; give the log itself, such as a phone's btsnoop_hci.log",
    b"%PDF": "a PDF document; give the log itself, such as a phone's btsnoop_hci.log",
}
"""Other files that people try, by their first bytes, and what to do."""


def is_log(header: bytes) -> bool:
    """Whether a file with these first bytes is a log, of a format that is read here."""
    return (
        header.startswith((btsnoop.MAGIC, PCAPNG_MAGIC))
        or header[:4] in pcap.ORDERS
        or bool(packetlogger.byte_order(header))
    )


class LogReader:
    """Reads one log from its beginning.

    Attributes:
        frames: records read so far.
        position: bytes read so far.
        error: why reading stopped before the end of the log, or "".
    """

    def __init__(self, file: BinaryIO) -> None:
        """Raises NotALogError."""
        self.frames = 0
        self.position = 0
        self.error = ""
        self._file = file
        self._directions = DirectionGuesser()
        self._usb = UsbDecoder()
        self._unread = file.read(HEADER_BYTES)
        self._record_reader, used = _record_reader_for(self._unread)
        self._unread = self._unread[used:]

    @property
    def foreign_content(self) -> str:
        """What a log without HCI packets contains instead, if that is known, or ""."""
        return self._record_reader.foreign_content or (
            "a USB capture without a Bluetooth adapter" if self._usb.record_count else ""
        )

    def packets(self) -> Iterator[Packets]:
        """All packets that can be read, a chunk at a time."""
        data, to_skip = self._unread, 0
        while chunk := self._file.read(CHUNK_BYTES):
            data += chunk
            self.position += len(chunk)
            if to_skip >= len(data):
                data, to_skip = b"", to_skip - len(data)
                continue
            records, used = self._record_reader.read(data[to_skip:] if to_skip else data)
            if records is not None:
                yield self._directions.guess(unwrap(self._usb.unpack(records), self.frames + 1))
                self.frames += len(records.offset)
            if self._record_reader.damage:
                self.error = f"damaged after record {self.frames}: {self._record_reader.damage}"
                return
            used += to_skip
            data, to_skip = data[used:], max(0, used - len(data))
        if data or to_skip:
            self.error = f"cut short in record {self.frames + 1}"


def _record_reader_for(header: bytes) -> tuple[RecordReader, int]:
    """The reader for this file format, and the length of the file's header."""
    if header.startswith(btsnoop.MAGIC):
        return btsnoop.BtsnoopReader(header), btsnoop.HEADER_BYTES
    if header[:4] in pcap.ORDERS:
        return pcap.PcapReader(header), pcap.HEADER_BYTES
    if header.startswith(PCAPNG_MAGIC):
        return PcapngReader(), 0
    order = packetlogger.byte_order(header)
    if order:
        return packetlogger.PacketLoggerReader(order), 0
    what = next(
        (text for start, text in OTHER_FILE_TYPES.items() if header[: len(start) or None] == start),
        "not a Bluetooth log; use btsnoop, pcap, pcapng or PacketLogger's pklg, or a phone's bug report",
    )
    raise NotALogError(what)
