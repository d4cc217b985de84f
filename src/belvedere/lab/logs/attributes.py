"""Attribute tables: the UUID of each attribute, as far as a log contains the discovery (Core 5.4, volume 3, part G)."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from itertools import islice
from typing import NamedTuple

from belvedere.lab.labels import SIG_TAIL

PRIMARY, SECONDARY, INCLUDE, CHARACTERISTIC = (f"0000{number:04x}{SIG_TAIL}" for number in range(0x2800, 0x2804))
DEVICE_NAME = f"00002a00{SIG_TAIL}"
DATABASE_HASH = f"00002b2a{SIG_TAIL}"
LONG_UUID_BYTES = 16

MAX_ATTRIBUTES = 100_000
"""Entries kept for a whole log. A device has about a hundred attributes, which seldom change; a log dozens of them."""


class Service(NamedTuple):
    """A service and its range of handles, both ends included."""

    start: int
    end: int
    uuid: str


class Characteristic(NamedTuple):
    """A characteristic; `properties` are the bits in its declaration."""

    handle: int  # of its value
    uuid: str
    properties: int


class TableContext:
    """What all tables of a log share: the number of entries that may still be kept, and the current record.

    Attributes:
        left: entries that may still be kept.
        frame: the record being decoded; type changes apply from it on.
    """

    def __init__(self, left: int = MAX_ATTRIBUTES) -> None:
        self.left = left
        self.frame = 0

    def reserve(self) -> bool:
        """Take one entry of the budget; False if none is left."""
        self.left -= 1
        return self.left >= 0


class TypeChange(NamedTuple):
    """An attribute's UUID from this record on; None where the old one no longer applies and the new one is unknown."""

    frame: int
    uuid: str | None


class AttributeTable:
    """The attribute table of one server, with its history: each UUID applies from the record that contained it.

    Tables change within a log: a device gets a firmware update, and a phone's apps come and go.

    Attributes:
        is_cached: whether the client read the table's hash, to check that its cached copy is still valid.
    """

    def __init__(self, context: TableContext) -> None:
        self.is_cached = False
        self._context = context
        self._services: dict[int, Service] = {}
        self._characteristics: dict[int, Characteristic] = {}
        self._types: dict[int, list[TypeChange]] = {}

    @property
    def services(self) -> list[Service]:
        """Sorted by handle."""
        return sorted(self._services.values())

    @property
    def characteristics(self) -> list[Characteristic]:
        """Sorted by handle; the current ones."""
        return sorted(self._characteristics.values())

    def uuid_of(self, handle: int, frame: int | None = None) -> str | None:
        """The UUID of the attribute with this handle; for a value, that of its characteristic.

        With a `frame`, the UUID known at that record, or where none was yet, the first one known later.
        """
        changes = self._types.get(handle)
        if not changes:
            return None
        newest = changes[-1]
        if frame is None or len(changes) == 1 or frame >= newest.frame:
            return newest.uuid
        position = max(0, bisect_left(changes, (frame + 1,)) - 1)
        return changes[position].uuid or next(
            (change.uuid for change in islice(changes, position, None) if change.uuid), None
        )

    def uuids_of(self, handle: int, first_frame: int, last_frame: int) -> list[str]:
        """All UUIDs that the attribute had between these records, each once, the oldest first."""
        changes = self._types.get(handle, ())
        later = (self.uuid_of(handle, change.frame) for change in changes if first_frame < change.frame <= last_frame)
        return list(dict.fromkeys(uuid for uuid in (self.uuid_of(handle, first_frame), *later) if uuid))

    def add_service(self, start: int, end: int, uuid: str) -> None:
        """A service was found."""
        if uuid and (start in self._services or self._context.reserve()):
            self._services[start] = Service(start, end, uuid)

    def add_declaration(self, handle: int, value: bytes) -> None:
        """A characteristic's declaration was read: properties, handle of the value, UUID."""
        if len(value) not in (5, 3 + LONG_UUID_BYTES):
            return
        value_handle, uuid = int.from_bytes(value[1:3], "little"), parse_uuid(value[3:])
        self.add_type(handle, CHARACTERISTIC)
        self.add_type(value_handle, uuid)
        if self.uuid_of(value_handle) == uuid:
            self._characteristics[value_handle] = Characteristic(value_handle, uuid, value[0])

    def add_type(self, handle: int, uuid: str) -> None:
        """An attribute of this type was found."""
        was_declaration = self.uuid_of(handle) == CHARACTERISTIC
        self._set_type(handle, uuid)
        if was_declaration and uuid != CHARACTERISTIC and handle + 1 in self._characteristics:
            self._set_type(handle + 1, None)  # a value lies right behind its declaration, which is gone

    def _set_type(self, handle: int, uuid: str | None) -> None:
        """Set the attribute's UUID from now on. With the budget used up, the previous entry is overwritten."""
        changes = self._types.get(handle)
        if changes and changes[-1].uuid == uuid:
            return
        if handle in self._characteristics:
            del self._characteristics[handle]
        change = TypeChange(self._context.frame, uuid)
        if changes is None:
            if self._context.reserve():
                self._types[handle] = [change]
        elif changes[-1].frame == change.frame or not self._context.reserve():
            changes[-1] = change
        else:
            changes.append(change)


def parse_uuid(data: bytes) -> str:
    """A UUID in full from 2 or 16 bytes, little-endian; "" for any other length."""
    if len(data) == 2:  # noqa: PLR2004 - a short UUID
        return f"0000{data[1]:02x}{data[0]:02x}{SIG_TAIL}"
    return str(uuid.UUID(bytes=data[::-1])) if len(data) == LONG_UUID_BYTES else ""
