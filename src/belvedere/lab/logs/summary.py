"""The summary of a log, as plain values. Times are seconds since the epoch."""

from __future__ import annotations

import msgspec


class ConnectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One connection.

    Attributes:
        opened_s, closed_s: None where the log does not contain the event.
        is_central: whether the host was the central; None where the log does not contain that.
        interval_ms: the last agreed connection interval.
        mtu: the agreed ATT MTU, if there was an exchange.
        reason: why it was closed, as an HCI error code.
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
    """A characteristic with the handle of its value and its property bits."""

    uuid: str
    handle: int
    properties: int


class DeviceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A remote device.

    Attributes:
        label: the address, or "connection 0x0040" where the log does not contain it.
        name: as advertised or read, or "".
        requested_hash: whether the host read the database hash, to check its cached attribute table.
    """

    label: str
    name: str
    connections: tuple[ConnectionSummary, ...]
    services: tuple[ServiceSummary, ...]
    characteristics: tuple[CharacteristicSummary, ...]
    requested_hash: bool

    @property
    def has_discovery(self) -> bool:
        """Whether the log contains any of its UUIDs."""
        return bool(self.characteristics)


class StreamSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All values of one kind over one handle of one device.

    Attributes:
        direction: "sent" by the host of the log, "received", or "unknown".
        uuid: of the handle at the last value, if the log contains it.
        earlier_uuids: others that the handle had since the first value, the oldest first.
        is_host_attribute: whether the handle belongs to the host's own attribute table.
        count: how many values; `truncated` of them are incomplete in the log.
        median_interval_s: the median time between values, within 0.5 %; None for a single one.
        shortest, longest: lengths of the values in bytes.
        first, last: the first and the last value.
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
    """The summary of a log.

    Attributes:
        records: how many the file has; other programs call them frames.
        packets: how many of them are HCI packets.
        error: why the log could not be read to its end, or "".
        lost: L2CAP frames that are incomplete, because the log lacks fragments.
        uncounted_values: values of streams beyond the limit.
    """

    file: str
    records: int
    packets: int
    error: str
    lost: int
    uncounted_values: int
    devices: tuple[DeviceSummary, ...]
    streams: tuple[StreamSummary, ...]
