"""pcap: what tcpdump and older Wiresharks write. Layout as in draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct

import numpy as np

from belvedere.lab.logs import datalinks
from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.records import MAX_RECORD_BYTES, NotALogError, Records

HEADER_BYTES = 24
RECORD_BYTES = 16  # before each record's data: second, fraction, included and original length
NS_PER_S = 1_000_000_000

ORDERS = {
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
    bytes.fromhex("a1b23c4d"): (">", 1),
}
"""The order of bytes, and nanoseconds in a unit of the fraction, by a file's first bytes."""

LINK_TYPES = {
    187: datalinks.H4_BARE,
    189: datalinks.USB_LINUX,
    201: datalinks.H4_PHDR,
    220: datalinks.USB_MMAPPED,
    249: datalinks.USB_PCAP,
    254: datalinks.MONITOR_PHDR,
}
"""Link types of HCI, and of USB that may carry it, as tcpdump.org lists them."""

OTHER_LINK_TYPES = dict.fromkeys((251, 256, 272), "a sniffer's capture of what was over the air")
"""What people take for a log of HCI."""


def describe_link_type(linktype: int) -> str:
    """What a capture of another link type is, and what is wanted instead."""
    what = OTHER_LINK_TYPES.get(linktype, "a capture of something else")
    return f"{what} (link type {linktype}); a log of Bluetooth HCI is wanted, such as a phone's btsnoop_hci.log"


class PcapReader:
    """Walks the records of a file whose header is given."""

    damage = ""
    foreign_content = ""

    def __init__(self, header: bytes) -> None:
        if len(header) < HEADER_BYTES:
            raise NotALogError("a pcap file that ends in its header")
        self._order, self._unit_ns = ORDERS[header[:4]]
        linktype = struct.unpack_from(self._order + "I", header, 20)[0] & 0xFFFF  # above are bits about checksums
        if linktype not in LINK_TYPES:
            raise NotALogError(describe_link_type(linktype))
        self._link = LINK_TYPES[linktype]

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """See `RecordReader`."""
        starts, end = self._starts(data)
        if not starts:
            return None, end
        view, offset = ByteView(data), np.array(starts, np.int64)
        none = np.zeros_like(offset)
        return Records(
            view=view,
            offset=offset + RECORD_BYTES,
            length=view.u32(offset + 8, self._order),
            time_ns=view.u32(offset, self._order) * NS_PER_S + view.u32(offset + 4, self._order) * self._unit_ns,
            link=none + self._link,
            interface=none,
            flags=none,
        ), end

    def _starts(self, data: bytes) -> tuple[list[int], int]:
        length_of = struct.Struct(self._order + "I").unpack_from
        starts: list[int] = []
        offset, end = 0, len(data)
        last = end - RECORD_BYTES
        while offset <= last:
            (length,) = length_of(data, offset + 8)
            if length > MAX_RECORD_BYTES:
                self.damage = f"a record says that it has {length} bytes"
                break
            following = offset + RECORD_BYTES + length
            if following > end:
                break
            starts.append(offset)
            offset = following
        return starts, offset
