"""D-Bus errors as BlueZ returns them."""

from __future__ import annotations

from bleak.exc import BleakDBusError


def in_progress() -> BleakDBusError:
    """An operation of this kind is in progress already."""
    return BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])


def failed(why: str) -> BleakDBusError:
    """The operation failed."""
    return BleakDBusError("org.bluez.Error.Failed", [why])
