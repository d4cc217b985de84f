"""Which attribute has which UUID, as far as a log holds the discovery (Core 5.4, volume 3, part G)."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from belvedere.lab.words import SIG_TAIL

PRIMARY, SECONDARY, INCLUDE, CHARACTERISTIC = (f"0000{number:04x}{SIG_TAIL}" for number in range(0x2800, 0x2804))
DEVICE_NAME = f"00002a00{SIG_TAIL}"
DATABASE_HASH = f"00002b2a{SIG_TAIL}"
LONG_UUID_BYTES = 16

MOST_ATTRIBUTES = 100_000
"""Kept for a whole log; a device has a hundred or so, and a log dozens of devices."""


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


class Room:
    """How many more attributes may be kept, for all tables of a log together."""

    def __init__(self, left: int = MOST_ATTRIBUTES) -> None:
        self.left = left

    def take(self) -> bool:
        """Whether one more may be kept."""
        self.left -= 1
        return self.left >= 0


class Table:
    """What is known of one server's attributes. The newest word counts.

    Attributes:
        is_cached: whether its client asked for the hash of the table, to see if what it kept still holds.
    """

    def __init__(self, room: Room) -> None:
        self.is_cached = False
        self._room = room
        self._services: dict[int, Service] = {}
        self._characteristics: dict[int, Characteristic] = {}
        self._types: dict[int, str] = {}

    @property
    def services(self) -> list[Service]:
        """By handle."""
        return sorted(self._services.values())

    @property
    def characteristics(self) -> list[Characteristic]:
        """By handle."""
        return sorted(self._characteristics.values())

    def uuid_of(self, handle: int) -> str | None:
        """The UUID of the attribute with this handle: of a value, that of its characteristic."""
        known = self._characteristics.get(handle)
        return known.uuid if known else self._types.get(handle)

    def add_service(self, start: int, end: int, uuid: str) -> None:
        """A service was found."""
        if uuid and (start in self._services or self._room.take()):
            self._services[start] = Service(start, end, uuid)

    def add_declaration(self, handle: int, value: bytes) -> None:
        """A characteristic's declaration was read: properties, the value's handle, UUID."""
        if len(value) not in (5, 3 + LONG_UUID_BYTES) or not self._room.take():
            return
        value_handle = int.from_bytes(value[1:3], "little")
        self._types[handle] = CHARACTERISTIC
        self._characteristics[value_handle] = Characteristic(value_handle, uuid_in(value[3:]), value[0])

    def add_type(self, handle: int, uuid: str) -> None:
        """An attribute of this type was found."""
        if handle in self._types or self._room.take():
            self._types[handle] = uuid


def uuid_in(data: bytes) -> str:
    """A UUID in full, from 2 or 16 bytes, the least first; "" from any other number."""
    if len(data) == 2:  # noqa: PLR2004 - a short UUID
        return f"0000{data[1]:02x}{data[0]:02x}{SIG_TAIL}"
    return str(uuid.UUID(bytes=data[::-1])) if len(data) == LONG_UUID_BYTES else ""
