"""The values sent over one handle of one device: what reading a log yields and inference takes."""

from __future__ import annotations

import msgspec

__all__ = ["Sample", "ValueStream"]


class Sample(msgspec.Struct, frozen=True):
    """One value, as it was sent."""

    frame: int  # number of the record in the log, counted from 1
    time_s: float  # since the epoch, by the clock of the computer that wrote the log
    value: bytes


class ValueStream(msgspec.Struct, frozen=True):
    """All values of one kind sent over one handle of one device, in the order of the log."""

    device: str  # its address, or "connection 0x0040" where the log does not contain it
    direction: str  # "sent" by the phone, or "received"
    opcode: int  # ATT: 0x12 write request, 0x52 write command, 0x1B notification, 0x1D indication
    handle: int
    uuid: str | None  # of the characteristic, if the log contains its discovery
    samples: tuple[Sample, ...]
