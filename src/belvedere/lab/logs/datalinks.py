"""The encapsulations of HCI packets in records, and the packets inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import ByteView, Ints
    from belvedere.lab.logs.records import Records

OTHER, H1, H4, H4_BARE, H4_PHDR, MONITOR, MONITOR_PHDR, USB_LINUX, USB_MMAPPED, USB_PCAP = range(10)
"""Encapsulations: bare packets (H1); behind a byte for the packet type (H4), with the direction in flags (H4), unknown
(H4_BARE) or in a pseudo-header of four bytes (H4_PHDR); Linux's monitor, with its header in flags (MONITOR) or before
the data (MONITOR_PHDR); and USB transfers, which `usb` decodes first."""

COMMAND, ACL, EVENT = 1, 2, 4
"""Packet types, as H4 numbers them; the others carry audio."""

SENT, RECEIVED, UNKNOWN = 0, 1, 2
"""Directions, as seen from the host that wrote the log."""

OPPOSITE = {SENT: RECEIVED, RECEIVED: SENT, UNKNOWN: UNKNOWN}

INBOUND, OUTBOUND = 1, 2  # in pcapng's packet flags

MONITOR_KINDS = np.array([0, 0, COMMAND, EVENT, ACL, ACL], np.int64)  # indexed by the monitor's opcode, 0 to 5
MONITOR_DIRECTIONS = np.array([0, 0, SENT, RECEIVED, SENT, RECEIVED], np.int64)


class Packets(NamedTuple):
    """The HCI packets of one chunk of a log.

    Attributes:
        view: the chunk.
        frame: the record's number in the log, counted from 1.
        time_ns: since the epoch.
        offset: where the packet begins, behind the byte for its type.
        length: how much of it the log holds.
        kind: COMMAND, ACL, EVENT, or another that is ignored here.
        direction: SENT, RECEIVED or UNTOLD.
        adapter: a number for each adapter that the log distinguishes.
    """

    view: ByteView
    frame: Ints
    time_ns: Ints
    offset: Ints
    length: Ints
    kind: Ints
    direction: Ints
    adapter: Ints


def unwrap(records: Records, first_frame: int) -> Packets:
    """The packets in the records. A record without one gets kind 0, and still counts as a frame, as in Wireshark."""
    count = len(records.offset)
    kind, direction, skipped = (np.zeros(count, np.int64) for _ in range(3))
    adapter = records.interface << 16
    for link in np.unique(records.link).tolist():
        if link == OTHER:
            continue
        here = np.flatnonzero(records.link == link)
        flags = records.flags[here]
        kind[here], direction[here], skipped[here], number = _opened(link, records.view, records.offset[here], flags)
        adapter[here] += number
    kind[records.length < skipped] = 0
    return Packets(
        view=records.view,
        frame=np.arange(first_frame, first_frame + count, dtype=np.int64),
        time_ns=records.time_ns,
        offset=records.offset + skipped,
        length=records.length - skipped,
        kind=kind,
        direction=direction,
        adapter=adapter,
    )


def _opened(link: int, view: ByteView, offset: Ints, flags: Ints) -> tuple[Ints, Ints, int, Ints | int]:
    """Kind, direction, bytes to skip, and the adapter's number."""
    if link == H1:
        control = np.where(flags & 1, EVENT, COMMAND)
        return np.where(flags & 2, control, ACL), flags & 1, 0, 0
    if link == H4:
        return view.u8(offset), flags & 1, 1, 0
    if link == H4_PHDR:
        return view.u8(offset + 4), view.u32(offset, ">") & 1, 5, 0
    if link == H4_BARE:
        return view.u8(offset), _pcapng_direction(flags), 1, 0
    is_in_flags = link == MONITOR
    opcode, number = (
        (flags & 0xFFFF, flags >> 16) if is_in_flags else (view.u16(offset + 2, ">"), view.u16(offset, ">"))
    )
    known = np.where(opcode < len(MONITOR_KINDS), opcode, 0)
    return MONITOR_KINDS[known], MONITOR_DIRECTIONS[known], 0 if is_in_flags else 4, number


def _pcapng_direction(flags: Ints) -> Ints:
    """The direction from pcapng's flags option, where it is present."""
    return np.select([flags & 3 == INBOUND, flags & 3 == OUTBOUND], [RECEIVED, SENT], UNKNOWN)
