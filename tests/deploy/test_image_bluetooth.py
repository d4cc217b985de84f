"""A container reaches BlueZ by the folder of D-Bus, a user that the computer knows, and a group, as the how-to says.

So it does after D-Bus was restarted. D-Bus runs with users and groups of its own, in place of those of this computer.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method
from tests.deploy import tools
from tests.deploy.containers import USER, Container, mounts

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deploy.containers import Storage

pytestmark = pytest.mark.slow  # the image is built first
GROUP = 4242  # of "bluetooth", whose number differs from computer to computer
ANSWER_S = 300.0
SOCKET = "system_bus_socket"
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="method_return"/>
    <allow send_type="error"/>
    <allow send_type="signal"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <deny send_destination="org.bluez"/>
  </policy>
  <policy group="bluetooth"><allow send_destination="org.bluez"/></policy>
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
AS_THIS_COMPUTER = 'mount --bind "$1/passwd" /etc/passwd; mount --bind "$1/group" /etc/group; shift; exec "$@"'
PAGE = tools.ROOT / "docs/how-to/run-in-a-container.md"


class Answerer(ServiceInterface):
    """Stands for BlueZ."""

    @method(name="Answer")
    def answer(self) -> "s":  # type: ignore[name-defined] # noqa: F821, UP037 - D-Bus's word for a text
        return "reached"


def computer(folder: Path, *, knows_the_user: bool) -> Path:
    """Make the users and groups of a computer, with what the how-to adds or without it; returns their folder."""
    etc = folder / "etc"
    etc.mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow", "login.defs"):
        (etc / name).write_text(Path("/etc", name).read_text(encoding="utf-8"), encoding="utf-8")
    groups = [line for line in (etc / "group").read_text(encoding="utf-8").splitlines() if "bluetooth:" not in line]
    (etc / "group").write_text("\n".join([*groups, f"bluetooth:x:{GROUP}:", ""]), encoding="utf-8")
    if knows_the_user:
        command = re.search(r"^sudo (useradd .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        assert command is not None
        subprocess.run([*shlex.split(command[1]), "--prefix", str(folder)], check=True, timeout=60)
    return etc


@contextmanager
def bus(folder: Path, etc: Path) -> Iterator[None]:
    """A D-Bus whose socket is in this folder, on a computer with these users and groups."""
    configuration = folder / "bus.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    command = [tools.debian("dbus-daemon"), f"--config-file={configuration}", "--nofork", "--nopidfile"]
    command = ["unshare", "--mount", "sh", "-euc", AS_THIS_COMPUTER, "-", str(etc), *command, "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline()
            (folder / SOCKET).chmod(0o666)
            yield
        finally:
            daemon.terminate()


async def answers(folder: Path, *containers: Container) -> list[str]:
    """What each container gets from BlueZ, or why it gets nothing."""
    async with timeout(ANSWER_S):
        answering = await MessageBus(bus_address=f"unix:path={folder / SOCKET}").connect()
        answering.export("/", Answerer("org.example.Answer"))
        await answering.request_name("org.bluez")
    found = []
    for container in containers:
        asked = await asyncio.to_thread(container.run, "python3", "-c", ASK)
        found.append(asked.stdout.strip() or asked.stderr)
    answering.disconnect()
    return found


def test_only_a_known_user_in_the_group_reaches_bluez_and_again_after_d_bus_was_restarted(
    image_storage: Storage, image: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dbus"
    folder.mkdir()
    for parent in [folder, *folder.parents[:3]]:
        parent.chmod(parent.stat().st_mode | 0o055)
    states = [tmp_path / "first", tmp_path / "second"]
    for state in states:
        state.mkdir()
        os.chown(state, USER, USER)
    known = computer(tmp_path / "known", knows_the_user=True)
    unknown = computer(tmp_path / "unknown", knows_the_user=False)
    volumes = [mounts({folder: "/run/dbus:ro", state: "/var/lib/belvedere"}) for state in states]
    with (
        Container(image_storage, image, options=(*volumes[0], f"--group-add={GROUP}")) as member,
        Container(image_storage, image, options=volumes[1]) as stranger,
    ):
        member.wait_for("Belvedere is open")
        stranger.wait_for("Belvedere is open")
        with bus(folder, known):
            assert asyncio.run(answers(folder, member, stranger)) == ["reached", DENIED]
        with bus(folder, known):
            assert asyncio.run(answers(folder, member)) == ["reached"]
        with bus(folder, unknown):
            (refused,) = asyncio.run(answers(folder, member))
            assert "reached" not in refused
            assert "Error" in refused
