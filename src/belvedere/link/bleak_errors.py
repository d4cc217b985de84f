"""Turns what bleak and BlueZ raise into our reasons: by class, D-Bus name and ATT code, never by text."""

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


NOT_STARTED = "org.freedesktop.DBus.Error.Spawn."  # D-Bus knows BlueZ, and could not start it: one name a cause


@contextlib.contextmanager
def link_errors(otherwise: LinkReason) -> Iterator[None]:
    """Raise a LinkError instead of whatever a Bluetooth call raises; `otherwise` where it says nothing more exact."""
    try:
        yield
    except LinkError:
        raise
    except Exception as error:  # bleak lets `assert self._bus` and missing keys out when a link is lost under it
        raise LinkError(reason_of(error, otherwise), f"{type(error).__name__}: {error}") from error


@contextlib.contextmanager
def link_errors_while(is_connected: Callable[[], bool]) -> Iterator[None]:
    """Raise a LinkError for whatever a call over a connection raises: LOST where the connection ended under it.

    Its way to BlueZ is closed then, so what the call itself says is of that way and not of the unit or the adapter.
    """
    try:
        with link_errors(LinkReason.LOST):
            yield
    except LinkError as error:
        if is_connected():
            raise
        raise LinkError(LinkReason.LOST, f"the connection ended: {error}") from error


def reason_of_dbus(name: str, otherwise: LinkReason) -> LinkReason:
    """Why D-Bus or BlueZ answered with an error of this name."""
    return LinkReason.ADAPTER_OFF if name.startswith(NOT_STARTED) else DBUS_REASONS.get(name, otherwise)


def reason_of(error: BaseException, otherwise: LinkReason) -> LinkReason:
    """Why a Bluetooth call failed."""
    reason = otherwise
    match error:
        case BleakBluetoothNotAvailableError():
            reason = LinkReason.NO_PERMISSION if error.reason in DENIED else LinkReason.ADAPTER_OFF
        case BleakDBusError():
            reason = reason_of_dbus(error.dbus_error, otherwise)
        case BleakGATTProtocolError():  # 0x0E is also what BlueZ says of a request that the radio never carried
            is_silence = error.code == BleakGATTProtocolErrorCode.UNLIKELY_ERROR
            reason = otherwise if is_silence else LinkReason.REFUSED
        case BleakDeviceNotFoundError() | BleakNotFoundError():
            reason = LinkReason.NOT_FOUND
        case TimeoutError():
            reason = otherwise
        case PermissionError():
            reason = LinkReason.NO_PERMISSION
        case OSError() | EOFError():  # the socket of D-Bus is not there, or closed under us: no BlueZ, no adapter
            reason = LinkReason.ADAPTER_OFF
    return reason
