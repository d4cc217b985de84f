"""Bluetooth logs that no phone has written: random packets in any kind of file, and files spoiled in any way."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support.captures import hci_log, usb_log
from tests.support.captures.hci_log import ACL, COMMAND, EVENT, RECEIVED, SCO, SENT, Packet

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ADDRESSES = ("C0:DE:00:00:5A:1E", "C0:DE:00:00:5A:1F", "00:00:00:00:00:00")
HANDLES = (0x00, 0x40, 0x41, 0xEFF, 0xFFF)
OPCODES = (*range(1, 0x21), 0x23, 0x52, 0xD2, 0xFF)
EVENTS = (0x03, 0x05, 0x07, 0x08, 0x0E, 0x0F, 0x13, 0x2F, 0x30, 0x3E, 0x57, 0x59, 0xFF)
LENGTHS = (0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What makes readers trip that trust lengths."""

FILES: tuple[Callable[[list[Packet]], bytes], ...] = (
    hci_log.btsnoop,
    lambda packets: hci_log.btsnoop(packets, datalink=1001),
    lambda packets: hci_log.btsnoop(packets, datalink=2001),
    lambda packets: hci_log.pcap(packets, linktype=187),
    lambda packets: hci_log.pcap(packets, linktype=201, order=">", is_nano=True),
    lambda packets: hci_log.pcap(packets, linktype=254),
    hci_log.pcapng,
    lambda packets: hci_log.pcapng(packets, linktype=187, order=">", resolution=9),
    lambda packets: hci_log.pcapng(packets, linktype=254),
    lambda packets: usb_log.usb([*usb_log.described(), *usb_log.transfers(packets, size=16)]),
    lambda packets: usb_log.usb(usb_log.transfers(packets), linktype=usb_log.USBPCAP),
)


def malformed_log(chance: Random) -> bytes:
    """One file; the same chance makes the same."""
    packets = [_packet(chance, at) for at in range(chance.randrange(12))]
    if chance.random() < SOUND:
        packets.insert(
            0, Packet(0, RECEIVED, EVENT, hci_log.connected(0x40, ADDRESSES[0], version=chance.randrange(3)))
        )
    content = bytearray(chance.choice(FILES)([one for one in packets if one.kind in {ACL, EVENT, COMMAND, SCO}]))
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        chance.choice(SPOILS)(content, chance)
    return bytes(content)


def _packet(chance: Random, at: int) -> Packet:
    made = chance.choice((_attribute, _attribute, _attribute, _fragment, _event, _event, _noise))
    way, kind, data = made(chance)
    kept = chance.randrange(len(data) + 1) if chance.random() < CUT else None
    return Packet(at * 1000, way, kind, data, kept)


def _attribute(chance: Random) -> tuple[int, int, bytes]:
    pdu = bytes([chance.choice(OPCODES)]) + chance.randbytes(chance.choice((0, 1, 2, 3, 4, 5, 9, 20, 23)))
    if chance.random() < SOUND and len(pdu) > 2:
        pdu = pdu[:1] + struct.pack("<H", chance.randrange(4)) + pdu[3:]
    return chance.choice((SENT, RECEIVED)), ACL, hci_log.att(chance.choice(HANDLES), pdu)


def _fragment(chance: Random) -> tuple[int, int, bytes]:
    piece = hci_log.acl(chance.choice(HANDLES), chance.randbytes(chance.randrange(30)), boundary=chance.randrange(4))
    if chance.random() < SOUND:
        frame = hci_log.l2cap(b"\x12\x17\x00" + chance.randbytes(30))
        piece = chance.choice(hci_log.fragments(chance.choice(HANDLES), frame, chance.randrange(1, 27)))
    return chance.choice((SENT, RECEIVED)), ACL, piece


def _event(chance: Random) -> tuple[int, int, bytes]:
    sound = (
        hci_log.connected(chance.choice(HANDLES), chance.choice(ADDRESSES), version=chance.randrange(3)),
        hci_log.disconnected(chance.choice(HANDLES)),
        hci_log.advertised(chance.choice(ADDRESSES), chance.randbytes(chance.randrange(31))),
        hci_log.advertised(chance.choice(ADDRESSES), hci_log.named("ünit" * chance.randrange(5))),
        hci_log.le_event(chance.randrange(0x30), chance.randbytes(chance.randrange(60))),
        hci_log.event(chance.choice(EVENTS), chance.randbytes(chance.randrange(60))),
    )
    return RECEIVED, EVENT, chance.choice(sound)


def _noise(chance: Random) -> tuple[int, int, bytes]:
    way, kind = chance.choice(((SENT, COMMAND), (SENT, ACL), (RECEIVED, ACL), (RECEIVED, EVENT), (SENT, SCO)))
    return way, kind, chance.randbytes(chance.randrange(40))


def _flip(content: bytearray, chance: Random) -> None:
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _overwrite(content: bytearray, chance: Random) -> None:
    at = chance.randrange(len(content) + 1)
    content[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(LENGTHS))


def _cut_off(content: bytearray, chance: Random) -> None:
    del content[chance.randrange(len(content) + 1) :]


def _cut_out(content: bytearray, chance: Random) -> None:
    at = chance.randrange(len(content) + 1)
    del content[at : at + chance.randrange(40)]


def _insert(content: bytearray, chance: Random) -> None:
    at = chance.randrange(len(content) + 1)
    content[at:at] = chance.randbytes(chance.randrange(40))


def _repeat(content: bytearray, chance: Random) -> None:
    at = chance.randrange(len(content) + 1)
    content[at:at] = content[at : at + chance.randrange(80)]


SPOILS = (_flip, _flip, _overwrite, _overwrite, _cut_off, _cut_out, _insert, _repeat)
SOUND = 0.6  # the share of packets that make sense, so that the others meet a reader with something in mind
CUT = 0.15  # of the packets, the log holds only the beginning
