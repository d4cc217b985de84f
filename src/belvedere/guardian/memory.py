"""A page of memory shared by the server and its guardian; each field holds only its newest value.

Writing is a store into memory: it cannot block, needs no reader, and takes effect even if the writer is killed or
stopped at the next instruction. Each field has one writer. The table of units is longer than a machine word, so it has
a checksum: a reader that finds it half written keeps the previous one.
"""

from __future__ import annotations

import mmap
import os
import struct
from binascii import crc32
from typing import NamedTuple

SIZE = 4096
UNITS = 2
STARTING, WATCHING, NO_BLUEZ = range(3)  # states of the guardian; without BlueZ it cannot stop anything

_TIME, _COUNT, _FLAG = struct.Struct("d"), struct.Struct("I"), struct.Struct("B")
# the server's
_BEAT, _PING, _TURNING, _TABLE_LENGTH, _TABLE_CRC, _TABLE = 0, 8, 12, 16, 20, 24
# the guardian's
_PONG, _STATE, _STOPS = 3072, 3076, 3080
_STOP_SIZE = 16  # the time of a stop and the count
_LONGEST_TABLE = _PONG - _TABLE


class GuardedUnit(NamedTuple):
    """How to stop a unit.

    Attributes:
        name: the axis, for the log.
        device: D-Bus object path of the unit in BlueZ.
        characteristic: D-Bus object path of its command characteristic.
        by_command: whether it can be written without response.
        by_request: whether it can be written with response.
    """

    name: str
    device: str
    characteristic: str
    by_command: bool
    by_request: bool


class Memory:
    """The shared page, for both sides. Units are numbered by their index in the table, 0 or 1."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._page = mmap.mmap(descriptor, SIZE)

    @classmethod
    def new(cls) -> Memory:
        """Allocate a page. Raises OSError."""
        descriptor = os.memfd_create("belvedere-guardian", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, SIZE)
        return cls(descriptor)

    def close(self) -> None:
        """Unmap the page and close its descriptor."""
        self._page.close()
        os.close(self.descriptor)

    # the server writes

    @property
    def beat_s(self) -> float:
        """When the engine's event loop turned last (CLOCK_MONOTONIC, s)."""
        return float(_TIME.unpack_from(self._page, _BEAT)[0])

    @beat_s.setter
    def beat_s(self, now: float) -> None:
        _TIME.pack_into(self._page, _BEAT, now)

    @property
    def ping(self) -> int:
        """A number that the guardian repeats in `pong`."""
        return int(_COUNT.unpack_from(self._page, _PING)[0])

    @ping.setter
    def ping(self, number: int) -> None:
        _COUNT.pack_into(self._page, _PING, number)

    def is_turning(self, unit: int) -> bool:
        """Whether a move was written to the unit and no stop was verified since."""
        return bool(self._page[_TURNING + unit])

    def set_turning(self, unit: int, *, is_turning: bool) -> None:
        """Set the flag; to be done before the move is written."""
        self._page[_TURNING + unit] = is_turning

    def units(self) -> tuple[GuardedUnit | None, ...] | None:
        """Return the table of units; None while it is being written, or if it never was."""
        (length,) = _COUNT.unpack_from(self._page, _TABLE_LENGTH)
        (crc,) = _COUNT.unpack_from(self._page, _TABLE_CRC)
        text = self._page[_TABLE : _TABLE + min(length, _LONGEST_TABLE)]
        if not length or crc32(text) != crc:
            return None
        return tuple(_unit_of(line) for line in text.decode().split("\n"))

    def set_units(self, units: tuple[GuardedUnit | None, ...]) -> None:
        """Replace the table. Raises ValueError if it is too long, which object paths of BlueZ never are."""
        text = "\n".join("" if unit is None else _line_of(unit) for unit in units).encode()
        if len(text) > _LONGEST_TABLE:
            raise ValueError(f"the table of units takes {len(text)} bytes; at most {_LONGEST_TABLE} fit")
        self._page[_TABLE : _TABLE + len(text)] = text
        _COUNT.pack_into(self._page, _TABLE_LENGTH, len(text))
        _COUNT.pack_into(self._page, _TABLE_CRC, crc32(text))

    # the guardian writes

    @property
    def pong(self) -> int:
        """The `ping` that the guardian saw last."""
        return int(_COUNT.unpack_from(self._page, _PONG)[0])

    @pong.setter
    def pong(self, number: int) -> None:
        _COUNT.pack_into(self._page, _PONG, number)

    @property
    def state(self) -> int:
        """STARTING, WATCHING or NO_BLUEZ."""
        return int(_FLAG.unpack_from(self._page, _STATE)[0])

    @state.setter
    def state(self, state: int) -> None:
        _FLAG.pack_into(self._page, _STATE, state)

    def stops(self, unit: int) -> tuple[int, float]:
        """How many times the guardian stopped this unit, and when BlueZ accepted the first write of the last time."""
        at = _STOPS + unit * _STOP_SIZE
        return int(_COUNT.unpack_from(self._page, at + _TIME.size)[0]), float(_TIME.unpack_from(self._page, at)[0])

    def add_stop(self, unit: int, now: float) -> None:
        """Count one more."""
        at = _STOPS + unit * _STOP_SIZE
        _TIME.pack_into(self._page, at, now)
        _COUNT.pack_into(self._page, at + _TIME.size, self.stops(unit)[0] + 1)


def _line_of(unit: GuardedUnit) -> str:
    return f"{unit.name} {unit.device} {unit.characteristic} {unit.by_command:d}{unit.by_request:d}"


def _unit_of(line: str) -> GuardedUnit | None:
    if not line:
        return None
    name, device, characteristic, methods = line.split(" ")
    return GuardedUnit(name, device, characteristic, methods[0] == "1", methods[1] == "1")
