"""What went over one handle of one device: the plain values that reading a log gives and inference takes."""

from __future__ import annotations

import msgspec

__all__ = ["Sample", "ValueStream"]


class Sample(msgspec.Struct, frozen=True):
    """One value, as it went over the air."""

    frame: int  # the record's number in its log, counted from 1
    time_s: float  # since the epoch, by the clock of the log's writer
    value: bytes


class ValueStream(msgspec.Struct, frozen=True):
    """All values of one kind that went over one handle of one device, in the order of the log."""

    device: str  # its address, or "connection 0x0040" where the log never tells it
    direction: str  # "sent" by the phone, or "received"
    opcode: int  # ATT: 0x12 write request, 0x52 write command, 0x1B notification, 0x1D indication
    handle: int
    uuid: str | None  # of the characteristic's value, where the log holds the discovery
    samples: tuple[Sample, ...]
