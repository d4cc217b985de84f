"""The two system daemons that Bluetooth needs: start, kill and query them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio.message_bus import MessageBus
from tests.bluez.deadlines import until, until_answered

from belvedere.link.bluez_adapters import ask_objects

SOCKET = Path("/run/dbus/system_bus_socket")
MEMORY = Path("/var/lib/bluetooth")
BLUETOOTHD = ["/usr/libexec/bluetooth/bluetoothd", "--nodetach"]
DBUS_DAEMON = ["/usr/bin/dbus-daemon", "--system", "--nofork", "--nopidfile"]
LOGS = Path(os.environ.get("BELVEDERE_BLUEZ", "/tmp"))  # noqa: S108 - the machine's own, of which there is one


class Daemons:
    """D-Bus and `bluetoothd`; starting one returns when it answers."""

    def __init__(self) -> None:
        self._bus: subprocess.Popen[bytes] | None = None
        self._bluetoothd: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start both, without any state of earlier ones."""
        _forget()
        await self.start_bus()
        await self.start_bluetoothd()

    def kill(self) -> None:
        """End both."""
        self.kill_bluetoothd()
        self.kill_bus()

    async def start_bus(self) -> None:
        """Start D-Bus."""
        self._bus = _spawn(DBUS_DAEMON, "dbus.log")
        await until(_answers, "D-Bus listens")

    def kill_bus(self) -> None:
        """Kill D-Bus; `bluetoothd` then exits too."""
        _kill(self._bus)
        self._bus = None

    async def start_bluetoothd(self) -> None:
        """Start `bluetoothd`."""
        self._bluetoothd = _spawn(BLUETOOTHD, "bluetoothd.log")
        await until_answered(lambda: is_there("org.bluez"), "bluetoothd is on the bus")

    def kill_bluetoothd(self) -> None:
        """Kill `bluetoothd`."""
        _kill(self._bluetoothd)
        self._bluetoothd = None

    def freeze_bluetoothd(self, *, on: bool) -> None:
        """Suspend it, or resume it."""
        assert self._bluetoothd is not None
        self._bluetoothd.send_signal(signal.SIGSTOP if on else signal.SIGCONT)


async def is_there(name: str) -> bool:
    """Whether this name has an owner on the bus."""
    answer = await _ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", [name])
    return answer is not None and answer.body == [True]


async def is_forgotten(path: str) -> bool:
    """Whether BlueZ has no object of this path any more."""
    return path not in await ask_objects()


def open_sockets() -> int:
    """How many this process has; each connection to D-Bus is one."""
    opened = 0
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one by which these are listed
            opened += str(file.readlink()).startswith("socket:")
    return opened


async def power(*, on: bool) -> None:
    """Switch the adapter; BlueZ refuses while it is busy, so the request is repeated."""
    body = ["org.bluez.Adapter1", "Powered", Variant("b", on)]

    async def is_switched() -> bool:
        return await _ask("org.bluez", "/org/bluez/hci0", "org.freedesktop.DBus.Properties", "Set", body) is not None

    await until_answered(is_switched, f"the adapter is powered {'on' if on else 'off'}")


async def _ask(destination: str, path: str, interface: str, member: str, body: list[object]) -> Message | None:
    """One call on a connection of its own; None for an error."""
    signature = {1: "s", 3: "ssv"}[len(body)]
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        answer = await bus.call(
            Message(
                destination=destination, path=path, interface=interface, member=member, signature=signature, body=body
            )
        )
    finally:
        bus.disconnect()
    return None if answer.message_type is MessageType.ERROR else answer


def _forget() -> None:
    for remembered in MEMORY.iterdir():
        shutil.rmtree(remembered)


def _answers() -> bool:
    """Whether a bus listens on D-Bus's socket: the file remains when a bus is killed."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(SOCKET)) == 0


def _spawn(command: list[str], log: str) -> subprocess.Popen[bytes]:
    with (LOGS / log).open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file)


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait()
