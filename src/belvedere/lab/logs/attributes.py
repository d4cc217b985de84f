"""Which attribute has which UUID, as far as a log holds the discovery (Core 5.4, volume 3, part G)."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from itertools import islice
from typing import NamedTuple

from belvedere.lab.words import SIG_TAIL

PRIMARY, SECONDARY, INCLUDE, CHARACTERISTIC = (f"0000{number:04x}{SIG_TAIL}" for number in range(0x2800, 0x2804))
DEVICE_NAME = f"00002a00{SIG_TAIL}"
DATABASE_HASH = f"00002b2a{SIG_TAIL}"
LONG_UUID_BYTES = 16

MOST_ATTRIBUTES = 100_000
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


class Room:
    """What all tables of a log share: how many more words may be kept, and how far the log was read.

    Attributes:
        left: words that may still be kept.
        frame: the record that is being read; what is said holds from there on.
    """

    def __init__(self, left: int = MOST_ATTRIBUTES) -> None:
        self.left = left
        self.frame = 0

    def take(self) -> bool:
        """Whether one more may be kept."""
        self.left -= 1
        return self.left >= 0


class Word(NamedTuple):
    """What an attribute is from a record on: its UUID, or None where it is not what it was, and nobody says what."""

    frame: int
    uuid: str | None


class Table:
    """What is known of one server's attributes. The newest word counts; older ones count for the records up to it.

    Tables change: a device gets other software, and a phone's apps come and go.

    Attributes:
        is_cached: whether its client asked for the hash of the table, to see if what it kept still holds.
    """

    def __init__(self, room: Room) -> None:
        self.is_cached = False
        self._room = room
        self._services: dict[int, Service] = {}
        self._characteristics: dict[int, Characteristic] = {}
        self._words: dict[int, list[Word]] = {}

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
        words = self._words.get(handle)
        if not words:
            return None
        newest = words[-1]
        if frame is None or len(words) == 1 or frame >= newest.frame:
            return newest.uuid
        at = max(0, bisect_left(words, (frame + 1,)) - 1)
        return words[at].uuid or next((word.uuid for word in islice(words, at, None) if word.uuid), None)

    def uuids_of(self, handle: int, first_frame: int, last_frame: int) -> list[str]:
        """All UUIDs that the attribute had from the first record to the last, each once, the oldest first."""
        words = self._words.get(handle, ())
        held = (self.uuid_of(handle, word.frame) for word in words if first_frame < word.frame <= last_frame)
        return list(dict.fromkeys(uuid for uuid in (self.uuid_of(handle, first_frame), *held) if uuid))

    def add_service(self, start: int, end: int, uuid: str) -> None:
        """A service was found."""
        if uuid and (start in self._services or self._room.take()):
            self._services[start] = Service(start, end, uuid)

    def add_declaration(self, handle: int, value: bytes) -> None:
        """A characteristic's declaration was read: properties, the value's handle, UUID."""
        if len(value) not in (5, 3 + LONG_UUID_BYTES):
            return
        value_handle, uuid = int.from_bytes(value[1:3], "little"), uuid_in(value[3:])
        self.add_type(handle, CHARACTERISTIC)
        self.add_type(value_handle, uuid)
        if self.uuid_of(value_handle) == uuid:
            self._characteristics[value_handle] = Characteristic(value_handle, uuid, value[0])

    def add_type(self, handle: int, uuid: str) -> None:
        """An attribute of this type was found."""
        was_declaration = self.uuid_of(handle) == CHARACTERISTIC
        self._say(handle, uuid)
        if was_declaration and uuid != CHARACTERISTIC and handle + 1 in self._characteristics:
            self._say(handle + 1, None)  # a value lies right behind its declaration

    def _say(self, handle: int, uuid: str | None) -> None:
        """From now on the attribute is this. Where there is no room, the word before is forgotten."""
        words = self._words.get(handle)
        if words and words[-1].uuid == uuid:
            return
        if handle in self._characteristics:
            del self._characteristics[handle]
        word = Word(self._room.frame, uuid)
        if words is None:
            if self._room.take():
                self._words[handle] = [word]
        elif words[-1].frame == word.frame or not self._room.take():
            words[-1] = word
        else:
            words.append(word)


def uuid_in(data: bytes) -> str:
    """A UUID in full, from 2 or 16 bytes, the least first; "" from any other number."""
    if len(data) == 2:  # noqa: PLR2004 - a short UUID
        return f"0000{data[1]:02x}{data[0]:02x}{SIG_TAIL}"
    return str(uuid.UUID(bytes=data[::-1])) if len(data) == LONG_UUID_BYTES else ""
