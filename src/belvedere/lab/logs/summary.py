"""What a log tells, as plain values for whoever shows it or goes on with it. Times are seconds since the epoch."""

from __future__ import annotations

import msgspec


class ConnectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One connection.

    Attributes:
        opened_s, closed_s: None where the log does not hold the event.
        is_central: whether the host of the log asked for it; None where that is not told.
        interval_ms: of the link, as it was last agreed.
        mtu: the longest PDU, where both sides agreed on one.
        reason: why it ended, as HCI counts reasons.
    """

    handle: int
    adapter: int
    opened_s: float | None
    closed_s: float | None
    is_central: bool | None
    interval_ms: float | None
    mtu: int | None
    is_encrypted: bool
    reason: int | None


class ServiceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A service and its range of handles."""

    uuid: str
    start: int
    end: int


class CharacteristicSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A characteristic with the handle of its value and the bits of its properties."""

    uuid: str
    handle: int
    properties: int


class DeviceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody at the other end.

    Attributes:
        label: the address, or "connection 0x0040" where the log never tells it.
        name: as advertised or read, or "".
        requested_hash: whether the host asked if the table that it had kept still holds.
    """

    label: str
    name: str
    connections: tuple[ConnectionSummary, ...]
    services: tuple[ServiceSummary, ...]
    characteristics: tuple[CharacteristicSummary, ...]
    requested_hash: bool

    @property
    def has_discovery(self) -> bool:
        """Whether the log holds any of its UUIDs."""
        return bool(self.characteristics)


class StreamSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All values of one kind over one handle of one device.

    Attributes:
        direction: "sent" by the host of the log, "received", or "unknown".
        uuid: of the handle when the last value went, as far as the log tells it.
        earlier_uuids: others that the handle had since the first value, the oldest first.
        is_host_attribute: whether the handle is of the host's own table, and not of the device's.
        count: of values; `truncated` of them are not whole in the log.
        median_interval_s: the median time from one to the next, within 0.5 %; None of a single one.
        shortest, longest: lengths of the values in bytes.
        first, last: the values that came first and last.
    """

    device: str
    direction: str
    opcode: int
    handle: int
    uuid: str | None
    earlier_uuids: tuple[str, ...]
    is_host_attribute: bool
    count: int
    truncated: int
    median_interval_s: float | None
    shortest: int
    longest: int
    first_frame: int
    last_frame: int
    first_s: float
    last_s: float
    first: bytes
    last: bytes


class LogSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a log tells.

    Attributes:
        records: in the file, as other programs count frames.
        packets: of those, packets of HCI.
        error: why the log could not be read to its end, or "".
        lost: frames that are incomplete, because fragments of them are not in the log.
        uncounted_values: values in streams beyond those that are kept.
    """

    file: str
    records: int
    packets: int
    error: str
    lost: int
    uncounted_values: int
    devices: tuple[DeviceSummary, ...]
    streams: tuple[StreamSummary, ...]
