import asyncio

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bleak_retry_connector import BleakNotFoundError

from belvedere.errors import LinkError, LinkReason
from belvedere.link.bleak_errors import link_errors, link_errors_while, scan_errors


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            BleakBluetoothNotAvailableError("x", BleakBluetoothNotAvailableReason.POWERED_OFF),
            LinkReason.ADAPTER_OFF,
        ),
        (
            BleakBluetoothNotAvailableError("x", BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM),
            LinkReason.NO_PERMISSION,
        ),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["x"]), LinkReason.NO_PERMISSION),
        (BleakDBusError("org.freedesktop.DBus.Error.Spawn.ChildExited", ["x"]), LinkReason.ADAPTER_OFF),
        (BleakDBusError("org.bluez.Error.NotReady", ["x"]), LinkReason.ADAPTER_OFF),
        (BleakDBusError("org.bluez.Error.Failed", ["Not connected"]), LinkReason.LOST),
        (BleakGATTProtocolError(BleakGATTProtocolErrorCode.UNLIKELY_ERROR), LinkReason.LOST),
        (BleakGATTProtocolError(BleakGATTProtocolErrorCode.VALUE_NOT_ALLOWED), LinkReason.REFUSED),
        (BleakDeviceNotFoundError("C0", "x"), LinkReason.NOT_FOUND),
        (BleakNotFoundError("x"), LinkReason.NOT_FOUND),
        (BleakCharacteristicNotFoundError("fff1"), LinkReason.LOST),
        (BleakError("Service Discovery has not been performed yet"), LinkReason.LOST),
        (TimeoutError(), LinkReason.LOST),
        (FileNotFoundError("no socket of D-Bus"), LinkReason.ADAPTER_OFF),
        (EOFError(), LinkReason.ADAPTER_OFF),
        (PermissionError("the socket of D-Bus is not for us"), LinkReason.NO_PERMISSION),
        # what bleak lets out when the link is lost under it: `assert self._bus`, and services that are gone
        (AssertionError(), LinkReason.LOST),
        (AttributeError("services"), LinkReason.LOST),
        (KeyError("org.bluez.GattService1"), LinkReason.LOST),
    ],
    ids=lambda value: value.value if isinstance(value, LinkReason) else type(value).__name__,
)
def test_an_error_of_bluetooth_is_mapped_to_a_reason_and_kept_as_the_cause(
    error: Exception, reason: LinkReason
) -> None:
    with pytest.raises(LinkError) as caught, link_errors(LinkReason.LOST):
        raise error
    assert caught.value.reason is reason
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [LinkError(LinkReason.CLOSED), asyncio.CancelledError(), KeyboardInterrupt()])
def test_other_exceptions_pass_unchanged(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, link_errors(LinkReason.LOST):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "is_connected", "reason"),
    [
        (EOFError(), True, LinkReason.ADAPTER_OFF),
        (EOFError(), False, LinkReason.LOST),
        (BleakError("Service Discovery has not been performed yet"), True, LinkReason.LOST),
    ],
    ids=["held", "ended", "held, as far as anybody knows"],
)
def test_a_call_whose_connection_ended_fails_as_lost(
    error: Exception,
    is_connected: bool,  # noqa: FBT001 - parametrized
    reason: LinkReason,
) -> None:
    with pytest.raises(LinkError) as caught, link_errors_while(lambda: is_connected):
        raise error
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BleakDBusError("org.bluez.Error.InProgress", ["x"]), LinkReason.DISCOVERY_STUCK),
        (BleakDBusError("org.bluez.Error.NotReady", ["x"]), LinkReason.ADAPTER_OFF),
        (BleakError("Operation already in progress"), LinkReason.CONNECT_FAILED),  # never by its text
        (LinkError(LinkReason.NO_ADAPTER), LinkReason.NO_ADAPTER),
    ],
    ids=lambda value: value.value if isinstance(value, LinkReason) else type(value).__name__,
)
def test_only_a_scan_that_bluez_refuses_as_in_progress_says_that_discovery_is_stuck(
    error: Exception, reason: LinkReason
) -> None:
    with pytest.raises(LinkError) as caught, scan_errors(LinkReason.CONNECT_FAILED):
        raise error
    assert caught.value.reason is reason
    assert error in {caught.value, caught.value.__cause__}
