"""The words in which BlueZ says no."""

from __future__ import annotations

from bleak.exc import BleakDBusError


def in_progress() -> BleakDBusError:
    """Something of this kind is being done already."""
    return BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])


def failed(why: str) -> BleakDBusError:
    """It was tried, and did not work."""
    return BleakDBusError("org.bluez.Error.Failed", [why])
