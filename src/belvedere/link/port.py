"""What a link to one unit can do: the seam between the supervisor and Bluetooth (or anything else).

Adapters are `ble` (real units), `simulated` (in process) and `disabled` (no unit on this axis); they pass one
contract suite. Policy (when to connect, what to write, when to give up) lives in `supervisor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable


class DbusTarget(msgspec.Struct, frozen=True):
    """Where another process finds a connected unit in BlueZ: the objects of its device and of what takes commands."""

    device: str
    characteristic: str


class LinkDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a connected unit.

    Attributes:
        name: the advertised name, or "" where there is none.
        address: the Bluetooth address, or a word for what stands in its place.
        can_write_without_response: commands may be written without waiting for the unit.
        can_write_with_response: the unit acknowledges writes.
        can_probe: `keep_alive` asks the unit something; otherwise it would return False.
        rssi_dbm: signal strength when found, or None.
        dbus: where the unit is found in BlueZ; None where it is not BlueZ that reaches it.
    """

    name: str
    address: str
    can_write_without_response: bool
    can_write_with_response: bool
    can_keep_alive: bool
    rssi_dbm: int | None = None
    dbus: DbusTarget | None = None


class UnitLink(Protocol):
    """One unit, reachable or not.

    An adapter holds no policy: it neither retries nor queues, and every failure is a `LinkError` with a reason.
    After `close`, or after `on_lost` was called, `open` may be called again. A call may hang for as long as the
    operating system pleases: the caller bounds it, and abandons it if even cancelling does not end it.
    """

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """Find the unit, connect, and get it ready for `write`.

        `on_found` is called at most once, when the unit was found and connecting begins. `on_lost` is called at most
        once, from the event loop, when the connection ends by anything but `close`.
        Raises LinkError (NOT_FOUND, NO_ADAPTER, ADAPTER_OFF, NO_PERMISSION, CONNECT_FAILED, NO_CHARACTERISTIC,
        DISABLED).
        """
        ...

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Hand one frame over; with `response`, return once the unit has acknowledged it.

        Raises LinkError (LOST, REFUSED, UNANSWERED; CLOSED while not open).
        """
        ...

    async def keep_alive(self) -> bool:
        """Ask the unit something harmless that queues behind every frame already handed over.

        Returns True once the unit answered, False at once where there is nothing to ask. The time it takes shows
        the link's pace and its backlog. It does not get in the way of a concurrent `write`.
        Raises LinkError (LOST, UNANSWERED; CLOSED while not open).
        """
        ...

    async def close(self) -> None:
        """End the connection if there is one; never raises, may take seconds, and may be called at any time."""
        ...
