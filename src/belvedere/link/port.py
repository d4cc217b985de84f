"""The interface of a link to one unit, between the supervisor and Bluetooth or any other transport.

Adapters are `ble` (real units), `simulated` (in process) and `disabled` (no unit on this axis); all pass one contract
suite. Policy (when to connect, what to write, when to abandon a link) is in `supervisor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable


class DbusTarget(msgspec.Struct, frozen=True):
    """The D-Bus object paths in BlueZ of a connected unit and of its command characteristic, for another process."""

    device: str
    characteristic: str


class LinkDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a connected unit is and can do.

    Attributes:
        name: the advertised name, "" if there is none.
        address: the Bluetooth address, or another identifier on transports without one.
        can_write_without_response: commands may be written without waiting for the unit.
        can_write_with_response: the unit acknowledges writes.
        can_keep_alive: whether `keep_alive` can get an answer; if not, it returns False.
        rssi_dbm: signal strength when found, or None.
        dbus: where BlueZ has the unit; None if it is not reached through BlueZ.
    """

    name: str
    address: str
    can_write_without_response: bool
    can_write_with_response: bool
    can_keep_alive: bool
    rssi_dbm: int | None = None
    dbus: DbusTarget | None = None


class UnitLink(Protocol):
    """A link to one unit, which may be out of reach.

    An adapter holds no policy: it neither retries nor queues, and every failure is a `LinkError` with a reason.
    After `close`, or after `on_lost` was called, `open` may be called again. A call may hang indefinitely in the
    operating system: the caller sets a timeout, and abandons a call that does not even end when cancelled.
    """

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """Find the unit, connect, and prepare for `write`.

        `on_found` is called at most once, when the unit was found and before connecting. `on_lost` is called at most
        once, from the event loop, when the connection ends other than by `close`.
        Raises LinkError (NOT_FOUND, NO_ADAPTER, ADAPTER_OFF, DISCOVERY_STUCK, NO_PERMISSION, CONNECT_FAILED,
        NO_CHARACTERISTIC, DISABLED).
        """
        ...

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Write one frame. With `response`, return once the unit has acknowledged it, else once it is queued.

        Raises LinkError (LOST, REFUSED, UNANSWERED; CLOSED while not open).
        """
        ...

    async def keep_alive(self) -> bool:
        """Send a request without side effects, which queues behind every frame already written.

        Returns True once the unit has answered, False at once if it has nothing to read. The round trip measures the
        connection interval and the backlog. Must not delay a concurrent `write`.
        Raises LinkError (LOST, UNANSWERED; CLOSED while not open).
        """
        ...

    async def close(self) -> None:
        """Disconnect if connected. Never raises, may take seconds, and may be called at any time."""
        ...
