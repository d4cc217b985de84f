"""Maps the errors of bleak and BlueZ to LinkReason: by class, D-Bus error name and ATT code, never by text."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bleak_retry_connector import BleakNotFoundError

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DENIED = frozenset(
    {
        BleakBluetoothNotAvailableReason.DENIED_BY_USER,
        BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM,
        BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN,
    }
)
DBUS_REASONS = {
    "org.freedesktop.DBus.Error.AccessDenied": LinkReason.NO_PERMISSION,
    "org.freedesktop.DBus.Error.ServiceUnknown": LinkReason.ADAPTER_OFF,
    "org.bluez.Error.NotReady": LinkReason.ADAPTER_OFF,
    "org.bluez.Error.NotPermitted": LinkReason.REFUSED,
    "org.bluez.Error.NotSupported": LinkReason.REFUSED,
    "org.bluez.Error.InvalidValueLength": LinkReason.REFUSED,
}

IN_PROGRESS = "org.bluez.Error.InProgress"
NOT_STARTED = "org.freedesktop.DBus.Error.Spawn."  # a family of names: D-Bus tried to start BlueZ on demand and failed


@contextlib.contextmanager
def link_errors(otherwise: LinkReason) -> Iterator[None]:
    """Convert every exception of a Bluetooth call to a LinkError; its reason is `otherwise` where none is known."""
    try:
        yield
    except LinkError:
        raise
    except Exception as error:  # when a link is lost, bleak leaks AssertionError and KeyError
        raise LinkError(reason_of(error, otherwise), f"{type(error).__name__}: {error}") from error


@contextlib.contextmanager
def scan_errors(otherwise: LinkReason) -> Iterator[None]:
    """Convert as `link_errors` does the exceptions of starting or stopping a scan, of which there is one at a time.

    BlueZ's refusal because one is in progress is DISCOVERY_STUCK. It may be a passing one: see
    `stuck_discovery_detector`.
    """
    with link_errors(otherwise):
        try:
            yield
        except BleakDBusError as error:
            if error.dbus_error != IN_PROGRESS:
                raise
            raise LinkError(LinkReason.DISCOVERY_STUCK, f"BlueZ refused to start or stop a scan: {error}") from error


@contextlib.contextmanager
def link_errors_while(is_connected: Callable[[], bool]) -> Iterator[None]:
    """Convert every exception of a call over a connection to a LinkError: LOST if the connection ended meanwhile.

    bleak closes its D-Bus connection when the link ends, so the call then fails with an error of D-Bus that would be
    mistaken for one of the adapter.
    """
    try:
        with link_errors(LinkReason.LOST):
            yield
    except LinkError as error:
        if is_connected():
            raise
        raise LinkError(LinkReason.LOST, f"the connection ended: {error}") from error


def reason_of_dbus(name: str, otherwise: LinkReason) -> LinkReason:
    """Return the reason for a D-Bus error of this name, `otherwise` for an unknown one."""
    return LinkReason.ADAPTER_OFF if name.startswith(NOT_STARTED) else DBUS_REASONS.get(name, otherwise)


def reason_of(error: BaseException, otherwise: LinkReason) -> LinkReason:
    """Return the reason for an exception of a Bluetooth call, `otherwise` for an unknown one."""
    reason = otherwise
    match error:
        case BleakBluetoothNotAvailableError():
            reason = LinkReason.NO_PERMISSION if error.reason in DENIED else LinkReason.ADAPTER_OFF
        case BleakDBusError():
            reason = reason_of_dbus(error.dbus_error, otherwise)
        case BleakGATTProtocolError():  # BlueZ also reports 0x0E for a request that was never transmitted
            is_no_answer = error.code == BleakGATTProtocolErrorCode.UNLIKELY_ERROR
            reason = otherwise if is_no_answer else LinkReason.REFUSED
        case BleakDeviceNotFoundError() | BleakNotFoundError():
            reason = LinkReason.NOT_FOUND
        case TimeoutError():
            reason = otherwise
        case PermissionError():
            reason = LinkReason.NO_PERMISSION
        case OSError() | EOFError():  # no D-Bus socket, or it was closed: no BlueZ, no adapter
            reason = LinkReason.ADAPTER_OFF
    return reason
