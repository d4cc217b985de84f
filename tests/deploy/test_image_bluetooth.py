"""A container reaches BlueZ by the folder of D-Bus and a group, as the how-to says, also after D-Bus was restarted."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method
from tests.deploy import tools
from tests.deploy.containers import Container, mounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deploy.containers import Storage

GROUP = 4242  # in place of Debian's group "bluetooth", whose number differs from computer to computer
SOCKET = "system_bus_socket"
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="*"/>
    <deny send_destination="org.bluez"/>
  </policy>
  <policy group="{group}"><allow send_destination="org.bluez"/></policy>
</busconfig>
"""
ASK = """import asyncio
from dbus_fast import BusType, Message
from dbus_fast.aio import MessageBus
async def ask():
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    reply = await bus.call(Message("org.bluez", "/", "org.example.Answer", "Answer"))
    print(reply.error_name or reply.body[0])
asyncio.run(ask())
"""
DENIED = "org.freedesktop.DBus.Error.AccessDenied"


class Answerer(ServiceInterface):
    """Stands for BlueZ."""

    @method(name="Answer")
    def answer(self) -> "s":  # type: ignore[name-defined] # noqa: F821, UP037 - D-Bus's word for a text
        return "reached"


@contextmanager
def bus(folder: Path) -> Iterator[None]:
    """A D-Bus whose socket is in this folder."""
    configuration = folder / "bus.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, group=GROUP), encoding="utf-8")
    command = [tools.debian("dbus-daemon"), f"--config-file={configuration}", "--nofork", "--nopidfile"]
    with subprocess.Popen([*command, "--print-address=1"], stdout=subprocess.PIPE) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline()
            (folder / SOCKET).chmod(0o666)
            yield
        finally:
            daemon.terminate()


async def answers(folder: Path, *containers: Container) -> list[str]:
    """What each container gets from BlueZ, or why it gets nothing."""
    answering = await MessageBus(bus_address=f"unix:path={folder / SOCKET}").connect()
    answering.export("/", Answerer("org.example.Answer"))
    await answering.request_name("org.bluez")
    found = []
    for container in containers:
        asked = await asyncio.to_thread(container.run, "python3", "-c", ASK)
        found.append(asked.stdout.strip() or asked.stderr)
    answering.disconnect()
    return found


def test_only_with_the_group_it_reaches_bluez_and_again_after_d_bus_was_restarted(
    image_storage: Storage, image: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dbus"
    folder.mkdir()
    for parent in [folder, *folder.parents[:3]]:
        parent.chmod(parent.stat().st_mode | 0o055)
    states = [tmp_path / "first", tmp_path / "second"]
    for state in states:
        state.mkdir()
        os.chown(state, 10001, 10001)
    volumes = [mounts({folder: "/run/dbus:ro", state: "/var/lib/belvedere"}) for state in states]
    with (
        Container(image_storage, image, options=(*volumes[0], f"--group-add={GROUP}")) as member,
        Container(image_storage, image, options=volumes[1]) as stranger,
    ):
        member.wait_for("Belvedere is open")
        stranger.wait_for("Belvedere is open")
        with bus(folder):
            assert asyncio.run(answers(folder, member, stranger)) == ["reached", DENIED]
        with bus(folder):
            assert asyncio.run(answers(folder, member)) == ["reached"]
