"""Turns what bleak and BlueZ raise into our reasons: by class, D-Bus name and ATT code, never by text."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bleak_retry_connector import BleakNotFoundError

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextlib.contextmanager
def mapped(otherwise: LinkReason) -> Iterator[None]:
    """Raise a LinkError instead of whatever a Bluetooth call raises; `otherwise` where it says nothing more exact."""
    try:
        yield
    except LinkError:
        raise
    except (BleakError, OSError, EOFError, TimeoutError) as error:
        raise LinkError(reason_of(error, otherwise), f"{type(error).__name__}: {error}") from error


def reason_of(error: BaseException, otherwise: LinkReason) -> LinkReason:
    """Why a Bluetooth call failed."""
    match error:
        case BleakBluetoothNotAvailableError():
            return LinkReason.NO_PERMISSION if error.reason in DENIED else LinkReason.ADAPTER_OFF
        case BleakDBusError():
            return DBUS_REASONS.get(error.dbus_error, otherwise)
        case BleakGATTProtocolError():  # 0x0E is also what BlueZ says of a request that the radio never carried
            is_silence = error.code == BleakGATTProtocolErrorCode.UNLIKELY_ERROR
            return otherwise if is_silence else LinkReason.REFUSED
        case BleakDeviceNotFoundError() | BleakNotFoundError():
            return LinkReason.NOT_FOUND
        case TimeoutError() | BleakError():
            return otherwise
        case _:  # the socket of D-Bus is not there, or closed under us: no BlueZ, no adapter
            return LinkReason.ADAPTER_OFF
