"""How packets of HCI are wrapped in records, and what is left when they are unwrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import ByteView, Ints
    from belvedere.lab.logs.records import Records

OTHER, H1, H4, H4_BARE, H4_PHDR, MONITOR, MONITOR_PHDR, USB_LINUX, USB_MMAPPED, USB_PCAP = range(10)
"""Ways to wrap: not at all (H1), after a byte that tells the type (H4; without any word of the direction, or with a
word of four bytes before it), and Linux's monitor, with its words beside the data or before it; and in transfers of
USB, which `usb` unpacks before."""

COMMAND, ACL, EVENT = 1, 2, 4
"""Types of packets, as H4 numbers them; others carry sound."""

SENT, RECEIVED, UNKNOWN = 0, 1, 2
"""Directions, seen from the host that kept the log."""

OPPOSITE = {SENT: RECEIVED, RECEIVED: SENT, UNKNOWN: UNKNOWN}

INBOUND, OUTBOUND = 1, 2  # as pcapng's flags say it

MONITOR_KINDS = np.array([0, 0, COMMAND, EVENT, ACL, ACL], np.int64)  # by the monitor's opcode, 0 to 5
MONITOR_DIRECTIONS = np.array([0, 0, SENT, RECEIVED, SENT, RECEIVED], np.int64)


class Packets(NamedTuple):
    """Packets of HCI of one piece of a log.

    Attributes:
        view: the piece.
        frame: the record's number in the log, counted from 1.
        time_ns: since the epoch.
        offset: where the packet begins, behind the byte that tells its type.
        length: how much of it the log holds.
        kind: COMMAND, ACL, EVENT, or what nobody here looks at.
        direction: SENT, RECEIVED or UNTOLD.
        adapter: a number for each that the log tells apart.
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
    """The packets in the records; what is no packet gets kind 0, so that frames stay what others count."""
    many = len(records.offset)
    kind, direction, skipped = (np.zeros(many, np.int64) for _ in range(3))
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
        frame=np.arange(first_frame, first_frame + many, dtype=np.int64),
        time_ns=records.time_ns,
        offset=records.offset + skipped,
        length=records.length - skipped,
        kind=kind,
        direction=direction,
        adapter=adapter,
    )


def _opened(link: int, view: ByteView, offset: Ints, flags: Ints) -> tuple[Ints, Ints, int, Ints | int]:
    """Kind, direction, bytes to skip and the adapter's number."""
    if link == H1:
        control = np.where(flags & 1, EVENT, COMMAND)
        return np.where(flags & 2, control, ACL), flags & 1, 0, 0
    if link == H4:
        return view.u8(offset), flags & 1, 1, 0
    if link == H4_PHDR:
        return view.u8(offset + 4), view.u32(offset, ">") & 1, 5, 0
    if link == H4_BARE:
        return view.u8(offset), _pcapng_direction(flags), 1, 0
    is_beside = link == MONITOR
    opcode, number = (flags & 0xFFFF, flags >> 16) if is_beside else (view.u16(offset + 2, ">"), view.u16(offset, ">"))
    known = np.where(opcode < len(MONITOR_KINDS), opcode, 0)
    return MONITOR_KINDS[known], MONITOR_DIRECTIONS[known], 0 if is_beside else 4, number


def _pcapng_direction(flags: Ints) -> Ints:
    """The direction that pcapng's option tells, where there is one."""
    return np.select([flags & 3 == INBOUND, flags & 3 == OUTBOUND], [RECEIVED, SENT], UNKNOWN)
