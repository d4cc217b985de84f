"""Tracks connections through a log: a handle is reused, and means different connections at different times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from belvedere.lab.logs.attributes import AttributeTable, TableContext
from belvedere.lab.logs.bearer import Bearer
from belvedere.lab.logs.events import Closed, Encrypted, Named, Opened, Reset, Updated

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import Ints
    from belvedere.lab.logs.events import Event

MAX_CONNECTIONS = 20_000
"""Per log; a phone's log has far fewer. Packets of any more are attributed to the last."""

MAX_NAMES = 20_000  # from advertisements; later ones are not kept
NO_CONNECTION = -1


@dataclass(slots=True)
class Device:
    """A remote device, labelled by its address, or by a connection's handle where the log does not contain that."""

    label: str
    table: AttributeTable
    name: str = ""


@dataclass(slots=True)
class Connection:
    """One connection. Times are from the log, and None where it does not contain the event."""

    device: int
    handle: int
    adapter: int
    bearer: Bearer
    opened_ns: int | None = None
    closed_ns: int | None = None
    is_central: bool | None = None
    interval_ms: float | None = None
    is_encrypted: bool = False
    reason: int | None = None


@dataclass(slots=True)
class ConnectionChanges:
    """Which connection each key means from which packet of a chunk on, as parallel lists."""

    key: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    connection: list[int] = field(default_factory=list)

    def add(self, key: int, index: int, connection: int) -> None:
        """The key means this connection from this packet on."""
        self.key.append(key)
        self.index.append(index)
        self.connection.append(connection)


class Connections:
    """All connections of a log. A key combines adapter number and connection handle into one number."""

    def __init__(self) -> None:
        self.all: list[Connection] = []
        self.devices: list[Device] = []
        self.host_tables: dict[int, AttributeTable] = {}
        self.context = TableContext()
        self._names: dict[str, str] = {}
        self._device_at: dict[str, int] = {}
        self._current: dict[int, int] = {}
        self._since: dict[int, int] = {}
        self._void: set[int] = set()  # keys whose connections a reset ended
        self._changes = ConnectionChanges()

    def begin_chunk(self) -> None:
        """Begin a chunk: packet indices count from 0 again."""
        self._since.clear()
        if len(self._current) > MAX_CONNECTIONS:
            self._current.clear()
        self._changes = ConnectionChanges(list(self._current), [-1] * len(self._current), list(self._current.values()))

    def current(self, key: int) -> Connection:
        """The connection that this key means now; one is added if the log does not contain its beginning."""
        return self.all[self._known(key)]

    def receive(self, event: Event, adapter: int, index: int, time_ns: int) -> int | None:
        """An event in packet `index` of the chunk; returns the key of the connection that it opened or closed."""
        if isinstance(event, Named):
            self._name(event)
            return None
        if isinstance(event, Reset):
            self._reset(adapter, index, time_ns)
            return None
        key = adapter << 12 | event.handle
        if key in self._void and not isinstance(event, Opened):
            return None  # about a connection that the reset has ended
        if isinstance(event, Opened):
            self._open(event, key, index, time_ns)
            return key
        connection = self.current(key)
        if isinstance(event, Updated):
            connection.interval_ms = event.interval_ms
        elif isinstance(event, Encrypted):
            connection.is_encrypted = True
        elif isinstance(event, Closed):
            connection.closed_ns, connection.reason = time_ns, event.reason
            return key
        return None

    def connections_for(self, keys: Ints, indices: Ints) -> Ints:
        """The connection of each packet, as an index into `all`."""
        unknown = self._found(keys, indices) == NO_CONNECTION
        for key in np.unique(keys[unknown]).tolist():
            if indices[unknown & (keys == key)].max() > self._since.get(key, -1):
                self._known(key)
        found = self._found(keys, indices)
        unknown = found == NO_CONNECTION
        strangers, inverse = np.unique(keys[unknown], return_inverse=True)
        numbers = [self._add_unannounced(key) for key in strangers.tolist()]
        for key, number in zip(strangers.tolist(), numbers, strict=True):
            if key not in self._since:
                self._current.setdefault(key, number)
        found[unknown] = np.array(numbers, np.int64)[inverse]
        return found

    def _found(self, keys: Ints, indices: Ints) -> Ints:
        """The connection of each key at its packet, or NO_CONNECTION.

        One binary search over numbers that combine the key's rank and the packet's index finds them all at once.
        """
        if not self._changes.key:
            return np.full(len(keys), NO_CONNECTION, np.int64)
        known, rank = np.unique(np.array(self._changes.key, np.int64), return_inverse=True)
        changed = rank << 32 | np.array(self._changes.index, np.int64) + 1
        order = np.argsort(changed, kind="stable")
        selection = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        latest = np.searchsorted(changed[order], selection << 32 | indices + 1, side="right") - 1
        is_found = (latest >= 0) & (known[selection] == keys) & (rank[order][latest] == selection)
        found: Ints = np.where(is_found, np.array(self._changes.connection, np.int64)[order][latest], NO_CONNECTION)
        return found

    def _known(self, key: int) -> int:
        number = self._current.get(key, NO_CONNECTION)
        if number == NO_CONNECTION:
            number = self._current[key] = self._add_unannounced(key)
            self._void.discard(key)
            self._changes.add(key, self._since.get(key, -1), number)
        return number

    def _add_unannounced(self, key: int) -> int:
        """Add a connection whose beginning the log does not contain."""
        return self._add(key, f"connection {key & 0xFFF:#06x}", has_address=False)

    def _open(self, event: Opened, key: int, index: int, time_ns: int) -> None:
        number = self._add(key, event.address, has_address=True)
        connection = self.all[number]
        connection.opened_ns, connection.is_central = time_ns, event.is_central
        connection.interval_ms = event.interval_ms
        self._current[key] = number
        self._void.discard(key)
        self._changes.add(key, index, number)

    def _reset(self, adapter: int, index: int, time_ns: int) -> None:
        """End this adapter's connections; later packets on their handles are those of connections not announced."""
        for key in [key for key in self._current if key >> 12 == adapter]:
            connection = self.all[self._current.pop(key)]
            if connection.closed_ns is None:
                connection.closed_ns = time_ns
            self._void.add(key)
            self._since[key] = index
            self._changes.add(key, index, NO_CONNECTION)

    def _add(self, key: int, label: str, *, has_address: bool) -> int:
        """Add a connection, and a device unless its address is known already."""
        if len(self.all) >= MAX_CONNECTIONS:
            return len(self.all) - 1
        adapter = key >> 12
        device = self._device_at.get(label)
        if device is None or not has_address:
            device = self._add_device(label)
        host_tables = self.host_tables.setdefault(adapter, AttributeTable(self.context))
        bearer = Bearer(host_tables, self.devices[device].table)
        self.all.append(Connection(device, key & 0xFFF, adapter, bearer))
        return len(self.all) - 1

    def _add_device(self, label: str) -> int:
        """Add a device; a second one without address on the same handle gets a number behind its label."""
        batches, unique = 1, label
        while unique in self._device_at:
            batches += 1
            unique = f"{label} ({batches})"
        self._device_at[unique] = len(self.devices)
        self.devices.append(Device(unique, AttributeTable(self.context), self._names.get(label, "")))
        return len(self.devices) - 1

    def _name(self, event: Named) -> None:
        if self._names.get(event.address, "").startswith(event.name):
            return  # a shortened name, when the full one is known
        if event.address in self._device_at:
            self.devices[self._device_at[event.address]].name = event.name
        if event.address in self._names or len(self._names) < MAX_NAMES:
            self._names[event.address] = event.name
