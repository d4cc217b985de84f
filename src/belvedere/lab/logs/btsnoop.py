"""btsnoop: what Android, BlueZ and bumble write. Layout as in Wireshark's `wiretap/btsnoop.c` and RFC 1761."""

from __future__ import annotations

import struct

import numpy as np

from belvedere.lab.logs import datalinks
from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.records import MAX_RECORD_BYTES, NotALogError, Records

MAGIC = b"btsnoop\0"
HEADER_BYTES = 16
RECORD_BYTES = 24  # before each record's data: original and included length, flags, drops, time
EPOCH_US = 62_168_256_000_000_000  # Android's year 0, which is Symbian's, before 1970

LINK_TYPES = {1001: datalinks.H1, 1002: datalinks.H4, 2001: datalinks.MONITOR}
UNREADABLE = {1003: "BCSP", 1004: "three-wire UART (H5)"}  # nothing that keeps logs writes these


class BtsnoopReader:
    """Walks the records of a file whose header is given."""

    damage = ""
    foreign_content = ""

    def __init__(self, header: bytes) -> None:
        if len(header) < HEADER_BYTES:
            raise NotALogError("a btsnoop log that ends in its header")
        version, datalink = struct.unpack_from(">II", header, len(MAGIC))
        if version != 1:
            raise NotALogError(f"a btsnoop log of version {version}; only 1 is known")
        if datalink not in LINK_TYPES:
            raise NotALogError(
                f"a btsnoop log of {UNREADABLE.get(datalink, 'a kind')} that cannot be read ({datalink})"
            )
        self._link = LINK_TYPES[datalink]

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """See `RecordReader`."""
        starts, end = self._starts(data)
        if not starts:
            return None, end
        view, offset = ByteView(data), np.array(starts, np.int64)
        time_us = (view.u32(offset + 16, ">") << 32 | view.u32(offset + 20, ">")) - EPOCH_US
        none = np.zeros_like(offset)
        return Records(
            view=view,
            offset=offset + RECORD_BYTES,
            length=view.u32(offset + 4, ">"),
            time_ns=time_us * 1000,
            link=none + self._link,
            interface=none,
            flags=view.u32(offset + 8, ">"),
        ), end

    def _starts(self, data: bytes) -> tuple[list[int], int]:
        length_of = struct.Struct(">I").unpack_from
        starts: list[int] = []
        offset, end = 0, len(data)
        last = end - RECORD_BYTES
        while offset <= last:
            (length,) = length_of(data, offset + 4)
            if length > MAX_RECORD_BYTES:
                self.damage = f"a record says that it has {length} bytes"
                break
            following = offset + RECORD_BYTES + length
            if following > end:
                break
            starts.append(offset)
            offset = following
        return starts, offset
