"""The pcap format, which tcpdump and older versions of Wireshark write. Layout as in draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct

import numpy as np

from belvedere.lab.logs import datalinks
from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.records import NotALogError, Records, split_records

HEADER_BYTES = 24
RECORD_BYTES = 16  # header of a record: second, fraction, included and original length
NS_PER_S = 1_000_000_000

ORDERS = {
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
    bytes.fromhex("a1b23c4d"): (">", 1),
}
"""Byte order, and nanoseconds per unit of the fraction, by a file's magic number."""

LINK_TYPES = {
    187: datalinks.H4_BARE,
    189: datalinks.USB_LINUX,
    201: datalinks.H4_PHDR,
    220: datalinks.USB_MMAPPED,
    249: datalinks.USB_PCAP,
    254: datalinks.MONITOR_PHDR,
}
"""Link types of HCI, and of USB that may carry it; numbers as assigned by tcpdump.org."""

OTHER_LINK_TYPES = {
    **dict.fromkeys((251, 256, 272), "a sniffer's capture of radio packets, most of which are lost or encrypted"),
    255: "a sniffer's capture of classic Bluetooth",
}
"""Bluetooth captures that are often mistaken for HCI logs."""


def describe_link_type(linktype: int) -> str:
    """What a capture of an unsupported link type is, and what to use instead."""
    what = OTHER_LINK_TYPES.get(linktype, "not a Bluetooth capture")
    return (
        f"{what} (link type {linktype}); record a log of Bluetooth HCI instead, on the phone itself: the snoop log of"
        " Android's developer options, or Apple's PacketLogger"
    )


class PcapReader:
    """Reads the records of a file whose header is given."""

    damage = ""
    foreign_content = ""

    def __init__(self, header: bytes) -> None:
        if len(header) < HEADER_BYTES:
            raise NotALogError("the file ends in its pcap header; export the log again")
        self._order, self._unit_ns = ORDERS[header[:4]]
        linktype = struct.unpack_from(self._order + "I", header, 20)[0] & 0xFFFF  # the upper bits are about checksums
        if linktype not in LINK_TYPES:
            raise NotALogError(describe_link_type(linktype))
        self._link = LINK_TYPES[linktype]

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """See `RecordReader`."""
        starts, end, self.damage = split_records(data, RECORD_BYTES, 8, self._order)
        if not starts:
            return None, end
        view, offset = ByteView(data), np.array(starts, np.int64)
        zeros = np.zeros_like(offset)
        return Records(
            view=view,
            offset=offset + RECORD_BYTES,
            length=view.u32(offset + 8, self._order),
            time_ns=view.u32(offset, self._order) * NS_PER_S + view.u32(offset + 4, self._order) * self._unit_ns,
            link=zeros + self._link,
            interface=zeros,
            flags=zeros,
        ), end
