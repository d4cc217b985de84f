"""Which attribute has which UUID, as far as a log holds the discovery (Core 5.4, volume 3, part G)."""

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
"""Words kept for a whole log; a device has a hundred or so, which seldom change, and a log dozens of devices."""


class Service(NamedTuple):
    """A service and its handles, the last included."""

    start: int
    end: int
    uuid: str


class Characteristic(NamedTuple):
    """A characteristic; `properties` are the bits of its declaration."""

    handle: int  # of its value
    uuid: str
    properties: int


class TableContext:
    """What all tables of a log share: how many more words may be kept, and how far the log was read.

    Attributes:
        left: words that may still be kept.
        frame: the record that is being read; what is said holds from there on.
    """

    def __init__(self, left: int = MAX_ATTRIBUTES) -> None:
        self.left = left
        self.frame = 0

    def reserve(self) -> bool:
        """Whether one more may be kept."""
        self.left -= 1
        return self.left >= 0


class TypeChange(NamedTuple):
    """What an attribute is from a record on: its UUID, or None where it is not what it was, and nobody says what."""

    frame: int
    uuid: str | None


class AttributeTable:
    """What is known of one server's attributes. The newest word counts; older ones count for the records up to it.

    Tables change: a device gets other software, and a phone's apps come and go.

    Attributes:
        is_cached: whether its client asked for the hash of the table, to see if what it kept still holds.
    """

    def __init__(self, context: TableContext) -> None:
        self.is_cached = False
        self._context = context
        self._services: dict[int, Service] = {}
        self._characteristics: dict[int, Characteristic] = {}
        self._types: dict[int, list[TypeChange]] = {}

    @property
    def services(self) -> list[Service]:
        """By handle."""
        return sorted(self._services.values())

    @property
    def characteristics(self) -> list[Characteristic]:
        """By handle; as the newest words have it."""
        return sorted(self._characteristics.values())

    def uuid_of(self, handle: int, frame: int | None = None) -> str | None:
        """The UUID of the attribute with this handle: of a value, that of its characteristic.

        With a `frame`, what had been said up to that record, or where nothing had, what was said later.
        """
        changes = self._types.get(handle)
        if not changes:
            return None
        newest = changes[-1]
        if frame is None or len(changes) == 1 or frame >= newest.frame:
            return newest.uuid
        offset = max(0, bisect_left(changes, (frame + 1,)) - 1)
        return changes[offset].uuid or next(
            (change.uuid for change in islice(changes, offset, None) if change.uuid), None
        )

    def uuids_of(self, handle: int, first_frame: int, last_frame: int) -> list[str]:
        """All UUIDs that the attribute had from the first record to the last, each once, the oldest first."""
        changes = self._types.get(handle, ())
        captured = (
            self.uuid_of(handle, change.frame) for change in changes if first_frame < change.frame <= last_frame
        )
        return list(dict.fromkeys(uuid for uuid in (self.uuid_of(handle, first_frame), *captured) if uuid))

    def add_service(self, start: int, end: int, uuid: str) -> None:
        """A service was found."""
        if uuid and (start in self._services or self._context.reserve()):
            self._services[start] = Service(start, end, uuid)

    def add_declaration(self, handle: int, value: bytes) -> None:
        """A characteristic's declaration was read: properties, the value's handle, UUID."""
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
            self._set_type(handle + 1, None)  # a value lies right behind its declaration

    def _set_type(self, handle: int, uuid: str | None) -> None:
        """From now on the attribute is this. Where there is no room, the word before is forgotten."""
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
    """A UUID in full, from 2 or 16 bytes, the least first; "" from any other number."""
    if len(data) == 2:  # noqa: PLR2004 - a short UUID
        return f"0000{data[1]:02x}{data[0]:02x}{SIG_TAIL}"
    return str(uuid.UUID(bytes=data[::-1])) if len(data) == LONG_UUID_BYTES else ""
