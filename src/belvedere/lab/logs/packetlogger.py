"""Apple's PacketLogger format, `.pklg`. Layout as in Wireshark's `wiretap/packetlogger.c`.

A file has no header. A record is a length, which does not count itself, seconds and microseconds, a type, and a packet.
"""

from __future__ import annotations

import struct

import numpy as np

from belvedere.lab.logs import datalinks
from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.records import MAX_RECORD_BYTES, Records

RECORD_BYTES = 13  # length, second, microsecond, type
LENGTH_BYTES = 4
MONITOR_OPCODES = np.zeros(256, np.int64)
MONITOR_OPCODES[:4] = 2, 3, 4, 5  # command, event, sent and received data; the others are audio and notes
KNOWN_KINDS = {*range(4), 8, 9, 0x0A, 0x0B, *range(0xF0, 0x100)}
US_PER_S = 1_000_000


def byte_order(header: bytes) -> str:
    """The byte order of a file with these first bytes, or "" if it is of another format."""
    if len(header) < RECORD_BYTES or header[RECORD_BYTES - 1] not in KNOWN_KINDS:
        return ""
    for order in "<>":
        length, seconds, us = struct.unpack_from(f"{order}III", header)
        if RECORD_BYTES - LENGTH_BYTES <= length <= MAX_RECORD_BYTES and seconds and us < US_PER_S:
            return order
    return ""


class PacketLoggerReader:
    """Reads the records of a file in one byte order; older Macs wrote the highest byte first."""

    foreign_content = ""

    def __init__(self, order: str) -> None:
        self.damage = ""
        self._order = order

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """See `RecordReader`."""
        starts, end = self._split(data)
        if not starts:
            return None, end
        view, offset = ByteView(data), np.array(starts, np.int64)
        seconds, us = view.u32(offset + 4, self._order), view.u32(offset + 8, self._order)
        zeros = np.zeros_like(offset)
        return Records(
            view=view,
            offset=offset + RECORD_BYTES,
            length=view.u32(offset, self._order) + LENGTH_BYTES - RECORD_BYTES,
            time_ns=(seconds * US_PER_S + us) * 1000,
            link=zeros + datalinks.MONITOR,
            interface=zeros,
            flags=MONITOR_OPCODES[view.u8(offset + RECORD_BYTES - 1)],
        ), end

    def _split(self, data: bytes) -> tuple[list[int], int]:
        """Where each whole record begins, and where the next one does."""
        length_of = struct.Struct(f"{self._order}I").unpack_from
        starts: list[int] = []
        offset = 0
        while offset + RECORD_BYTES <= len(data):
            (length,) = length_of(data, offset)
            if not RECORD_BYTES - LENGTH_BYTES <= length <= MAX_RECORD_BYTES:
                self.damage = f"a record claims a length of {length} bytes"
                break
            if offset + LENGTH_BYTES + length > len(data):
                break
            starts.append(offset)
            offset += LENGTH_BYTES + length
        return starts, offset
