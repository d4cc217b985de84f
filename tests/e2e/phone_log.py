"""A phone's Bluetooth log, recorded while both units of a head were used with the maker's app."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.lab.app_stream import AppUse, app_stream
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.head.frames import pack
from belvedere.head.profile import shipped_profile
from belvedere.sim.head import ADDRESSES, NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.head.axes import Axis

BEGINS_US = 1_767_362_400_000_000  # a day in January 2026
HANDLES = dict(zip(ADDRESSES, (0x40, 0x41), strict=True))
DISCOVERY = ((SENT, b"\x08\x15\0\x19\0\x03\x28"), (RECEIVED, b"\x09\x07\x16\0\x0c\x17\0\xf1\xff"))


def written_by_a_phone() -> bytes:
    """The file's content."""
    packets = sorted((packet for axis in ADDRESSES for packet in _session(axis)), key=lambda packet: packet.time_us)
    return hci_log.btsnoop(packets)


def _session(axis: Axis) -> Iterator[Packet]:
    """One unit: advertisement, connection, discovery, driving."""
    layout, handle, address = shipped_profile("zeapon-pons-pt").frame, HANDLES[axis], ADDRESSES[axis]
    begins_us = BEGINS_US + handle * 1000
    yield Packet(begins_us, RECEIVED, EVENT, hci_log.advertised(address, hci_log.named(NAMES[axis])))
    yield Packet(begins_us + 200_000, RECEIVED, EVENT, hci_log.connected(handle, address))
    for at, (way, pdu) in enumerate(DISCOVERY):
        yield Packet(begins_us + 300_000 + at * 30_000, way, ACL, hci_log.att(handle, pdu))
    for sample in app_stream(lambda velocity: pack(layout, velocity), Random(handle), AppUse()).samples:
        time_us = begins_us + 1_000_000 + round(1e6 * sample.time_s)
        yield Packet(time_us, SENT, ACL, hci_log.att(handle, b"\x52\x17\0" + sample.value))
