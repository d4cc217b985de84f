"""BlueZ on the system D-Bus: whether it runs and lets this user in, its adapters and its devices."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.link.adapters import BluezAdapter
from belvedere.link.bluez_adapters import adapters_of
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET = "run/dbus/system_bus_socket"
REPLY_TIMEOUT_S = 4.0
DEVICE = "org.bluez.Device1"
GROUP = "sudo usermod -aG bluetooth $USER, then log out and in again"
CONTAINER_BUS = "mount the host's folder /run/dbus into the container (the folder, because a mounted socket goes stale)"
CONTAINER_POLICY = (
    "the host's /etc/dbus-1/system.d must allow this user to use org.bluez, and AppArmor must allow the container:"
    " --security-opt apparmor=unconfined"
)
DENIED = {"org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.AuthFailed"}
ABSENT = ("ServiceUnknown", "NameHasNoOwner", "Spawn.")  # the last where D-Bus tried to start it and failed
ABSENT_PREFIXES = (*(f"org.freedesktop.DBus.Error.{name}" for name in ABSENT), "org.freedesktop.systemd1.")


class BluezDevice(msgspec.Struct, frozen=True):
    """A device that BlueZ knows."""

    address: str
    name: str
    is_random: bool
    is_connected: bool


class BluezSnapshot(msgspec.Struct, frozen=True):
    """BlueZ's adapters and devices, and the result of the check; no adapters or devices where BlueZ was not reached."""

    result: CheckResult
    adapters: tuple[BluezAdapter, ...] = ()
    devices: tuple[BluezDevice, ...] = ()

    def device(self, address: str) -> BluezDevice | None:
        """The device at this address, if BlueZ knows it."""
        return next((device for device in self.devices if device.address.upper() == address.upper()), None)


def is_in_container(root: Path = Path("/")) -> bool:
    """Whether this process runs in a container, judging by the usual marker files."""
    marks = (root / ".dockerenv", root / "run/.containerenv", root / "var/run/secrets/kubernetes.io")
    return any(mark.exists() for mark in marks) or bool(os.environ.get("KUBERNETES_SERVICE_HOST"))


async def query_bluez(address: str | None = None, root: Path = Path("/")) -> BluezSnapshot:
    """Connect to the system D-Bus (or the one at `address`) and query all objects of BlueZ."""
    is_contained = is_in_container(root)
    path = root / SOCKET
    if address is None and "DBUS_SYSTEM_BUS_ADDRESS" not in os.environ and not path.exists():
        fix = CONTAINER_BUS if is_contained else "sudo apt install dbus bluez"
        return _error(f"there is no system D-Bus at {path}", fix)
    try:
        async with timeout(REPLY_TIMEOUT_S):
            reply = await _objects(address)
    except (PermissionError, AuthError) as error:
        return _error(f"D-Bus refused this user: {error}", CONTAINER_POLICY if is_contained else GROUP)
    except TimeoutError:
        return _error("BlueZ does not answer on D-Bus", "sudo systemctl restart bluetooth")
    except (OSError, EOFError, InvalidAddressError, DBusError) as error:
        fix = CONTAINER_BUS if is_contained else "sudo systemctl start dbus"
        return _error(f"D-Bus cannot be reached: {error}", fix)
    if reply.message_type is MessageType.ERROR:
        return _refused(reply.error_name or "", is_contained=is_contained)
    adapters, devices = _parse_objects(reply.body[0])
    return BluezSnapshot(CheckResult("Bluetooth service", CheckState.OK, "BlueZ answers on D-Bus"), adapters, devices)


async def _objects(address: str | None) -> Message:
    bus = MessageBus(bus_address=address, bus_type=BusType.SYSTEM)
    try:
        await bus.connect()
        reply = await bus.call(
            Message(
                destination="org.bluez",
                path="/",
                interface="org.freedesktop.DBus.ObjectManager",
                member="GetManagedObjects",
            )
        )
        if reply is None:
            raise EOFError("the connection was closed")
        return reply
    finally:
        with contextlib.suppress(Exception):  # disconnecting a bus that never connected fails in many ways
            bus.disconnect()


def _refused(name: str, *, is_contained: bool) -> BluezSnapshot:
    if name in DENIED:
        return _error("D-Bus does not allow this user to use BlueZ", CONTAINER_POLICY if is_contained else GROUP)
    if name.startswith(ABSENT_PREFIXES):
        where = "on the host: " if is_contained else ""
        return _error("BlueZ is not running", f"{where}sudo apt install bluez && sudo systemctl enable --now bluetooth")
    return _error(f"BlueZ answered with {name}", "sudo systemctl restart bluetooth")


def _error(message: str, fix: str) -> BluezSnapshot:
    return BluezSnapshot(CheckResult("Bluetooth service", CheckState.ERROR, message, fix))


def _parse_objects(
    objects: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> tuple[tuple[BluezAdapter, ...], tuple[BluezDevice, ...]]:
    """The adapters and devices among BlueZ's objects."""
    devices = []
    for _path, interfaces in sorted(objects.items()):
        if DEVICE in interfaces:
            plain = {key: variant.value for key, variant in interfaces[DEVICE].items()}
            devices.append(
                BluezDevice(
                    str(plain.get("Address", "")),
                    str(plain.get("Name", plain.get("Alias", ""))),
                    plain.get("AddressType") == "random",
                    bool(plain.get("Connected", False)),
                )
            )
    return tuple(adapters_of(objects)), tuple(devices)
