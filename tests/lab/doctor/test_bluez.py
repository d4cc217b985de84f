"""Querying BlueZ: over a real D-Bus with a simulated BlueZ, with none, and with one that hangs."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from belvedere.lab.doctor.bluez import SOCKET, BluezDevice, is_in_container, query_bluez
from belvedere.lab.doctor.check import CheckState
from belvedere.link.adapters import BluezAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

DAEMON = shutil.which("dbus-daemon")
needs_daemon = pytest.mark.skipif(DAEMON is None, reason="needs Debian's dbus-daemon, which comes with chromium")
POLICY = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <policy context="default">
    <allow own="*"/><allow user="*"/><allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="*"/>{extra}
  </policy>
</busconfig>
"""
OBJECTS: Mapping[str, object] = {
    "/org/bluez": {},
    "/org/bluez/hci0": {
        "org.bluez.Adapter1": {"Address": Variant("s", "C0:DE:00:00:00:01"), "Powered": Variant("b", True)}
    },
    "/org/bluez/hci0/dev_C0_DE_00_00_5A_1E": {
        "org.bluez.Device1": {
            "Address": Variant("s", "C0:DE:00:00:5A:1E"),
            "Name": Variant("s", "PONS-PAN"),
            "AddressType": Variant("s", "random"),
            "Connected": Variant("b", True),
        }
    },
}


@contextmanager
def a_daemon(folder: Path, extra: str = "") -> Iterator[str]:
    """A D-Bus of the test's own; yields its address."""
    path = folder / "bus"
    (folder / "bus.conf").write_text(POLICY.format(path=path, extra=extra), encoding="ascii")
    command = [str(DAEMON), f"--config-file={folder / 'bus.conf'}", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            yield address
        finally:
            process.terminate()


@asynccontextmanager
async def a_bluez(address: str, objects: Mapping[str, object] | None = None) -> AsyncIterator[None]:
    """A process that owns BlueZ's name and answers for it; without objects it never answers."""
    bus = await MessageBus(bus_address=address).connect()

    def answer(message: Message) -> Message | bool | None:
        if message.member != "GetManagedObjects":
            return None
        return True if objects is None else Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])

    bus.add_message_handler(answer)
    await bus.request_name("org.bluez")
    try:
        yield
    finally:
        bus.disconnect()


@needs_daemon
@pytest.mark.realtime
async def test_adapters_and_devices_are_read_from_bluez(tmp_path: Path) -> None:
    with a_daemon(tmp_path) as address:
        async with a_bluez(address, OBJECTS):
            bluez = await query_bluez(address)
    assert bluez.result.state is CheckState.OK
    assert bluez.adapters == (BluezAdapter("hci0", "C0:DE:00:00:00:01", is_powered=True),)
    pan = BluezDevice("C0:DE:00:00:5A:1E", "PONS-PAN", is_random=True, is_connected=True)
    assert bluez.devices == (pan,)
    assert bluez.device("c0:de:00:00:5a:1e") == pan
    assert bluez.device("C0:DE:00:00:5A:1F") is None


@needs_daemon
@pytest.mark.realtime
async def test_a_bluez_that_does_not_run_is_reported_as_such(tmp_path: Path) -> None:
    with a_daemon(tmp_path) as address:
        bluez = await query_bluez(address)
    assert bluez.result.state is CheckState.ERROR
    assert bluez.result.message == "BlueZ is not running"
    assert "enable --now bluetooth" in bluez.result.fix


@needs_daemon
@pytest.mark.realtime
async def test_a_user_whom_the_policy_keeps_from_bluez_is_reported_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with a_daemon(tmp_path, '<deny send_interface="org.freedesktop.DBus.ObjectManager"/>') as address:
        async with a_bluez(address, OBJECTS):
            bluez = await query_bluez(address, tmp_path)
            (tmp_path / ".dockerenv").touch()
            contained = await query_bluez(address, tmp_path)
    assert "does not allow this user" in bluez.result.message
    assert "bluetooth $USER" in bluez.result.fix
    assert "dbus-1/system.d" in contained.result.fix


@pytest.mark.realtime
async def test_without_a_d_bus_the_fix_depends_on_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    bluez = await query_bluez(root=tmp_path)
    assert bluez.result.state is CheckState.ERROR
    assert "apt install" in bluez.result.fix
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.containerenv").touch()
    assert is_in_container(tmp_path)
    assert "/run/dbus" in (await query_bluez(root=tmp_path)).result.fix


async def test_a_mounted_socket_that_went_stale_is_reported(tmp_path: Path) -> None:
    path = tmp_path / SOCKET
    path.parent.mkdir(parents=True)
    path.touch()
    bluez = await query_bluez(f"unix:path={path}", tmp_path)
    assert "cannot be reached" in bluez.result.message


async def test_a_d_bus_that_hangs_is_left_in_time(tmp_path: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(hang, tmp_path / "bus")
    async with server:
        bluez = await query_bluez(f"unix:path={tmp_path / 'bus'}")
    assert bluez.result.message == "BlueZ does not answer on D-Bus"


@needs_daemon
@pytest.mark.realtime
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("org.bluez.Error.Failed", "BlueZ answered with org.bluez.Error.Failed"),
        ("org.freedesktop.DBus.Error.Spawn.ChildExited", "BlueZ is not running"),
        ("org.freedesktop.systemd1.LoadFailed", "BlueZ is not running"),
    ],
)
async def test_an_error_is_reported_by_its_name_unless_it_means_that_bluez_could_not_be_started(
    name: str, message: str, tmp_path: Path
) -> None:
    with a_daemon(tmp_path) as address:
        bus = await MessageBus(bus_address=address).connect()
        bus.add_message_handler(
            lambda message: (
                Message.new_error(message, name, "no")
                if message.message_type is MessageType.METHOD_CALL and message.path == "/"
                else None
            )
        )
        await bus.request_name("org.bluez")
        bluez = await query_bluez(address)
        bus.disconnect()
    assert bluez.result.message == message
