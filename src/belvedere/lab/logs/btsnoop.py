"""The btsnoop format of Android, BlueZ and bumble. Layout as in Wireshark's `wiretap/btsnoop.c` and RFC 1761."""

from __future__ import annotations

import struct

import numpy as np

from belvedere.lab.logs import datalinks
from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.records import NotALogError, Records, split_records

MAGIC = b"btsnoop\0"
HEADER_BYTES = 16
RECORD_BYTES = 24  # header of a record: original and included length, flags, drops, time
EPOCH_US = 62_168_256_000_000_000  # times count from the year 0 (as on Symbian); this is 1970

LINK_TYPES = {1001: datalinks.H1, 1002: datalinks.H4, 2001: datalinks.MONITOR}
UNREADABLE = {1003: "BCSP", 1004: "three-wire UART (H5)"}  # no known program writes these


class BtsnoopReader:
    """Reads the records of a file whose header is given."""

    damage = ""
    foreign_content = ""

    def __init__(self, header: bytes) -> None:
        if len(header) < HEADER_BYTES:
            raise NotALogError("the file ends in its btsnoop header; export the log again")
        version, datalink = struct.unpack_from(">II", header, len(MAGIC))
        if version != 1:
            raise NotALogError(f"btsnoop version {version} is not supported, only version 1")
        if datalink not in LINK_TYPES:
            raise NotALogError(f"btsnoop data link {datalink} ({UNREADABLE.get(datalink, 'unknown')}) is not supported")
        self._link = LINK_TYPES[datalink]

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """See `RecordReader`."""
        starts, end, self.damage = split_records(data, RECORD_BYTES, 4, ">")
        if not starts:
            return None, end
        view, offset = ByteView(data), np.array(starts, np.int64)
        time_us = (view.u32(offset + 16, ">") << 32 | view.u32(offset + 20, ">")) - EPOCH_US
        zeros = np.zeros_like(offset)
        return Records(
            view=view,
            offset=offset + RECORD_BYTES,
            length=view.u32(offset + 4, ">"),
            time_ns=time_us * 1000,
            link=zeros + self._link,
            interface=zeros,
            flags=view.u32(offset + 8, ">"),
        ), end
