"""The Bluetooth adapter: whether there is one, whether it is blocked or off, and which BlueZ version drives it."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.lab.doctor.bluez import is_in_container
from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from belvedere.lab.doctor.bluez import BluezSnapshot
    from belvedere.link.adapters import BluezAdapter

ROOT = Path("/")
NAME = "adapter"
DAEMONS = ("usr/libexec/bluetooth/bluetoothd", "usr/lib/bluetooth/bluetoothd", "usr/sbin/bluetoothd")
OLDEST = (
    5,
    55,
)  # that of Raspberry Pi OS Bullseye; older ones have long-fixed bugs that lose notifications and connections
VERSION = re.compile(r"(\d+)\.(\d+)")
PLUG_IN = "plug in a Bluetooth dongle; on a Raspberry Pi remove dtoverlay=disable-bt from config.txt and reboot"


def adapter(bluez: BluezSnapshot, wanted: str | None, root: Path = ROOT) -> list[CheckResult]:
    """Whether the adapter can be used: the `wanted` one (`hci0`, or an address), or the first."""
    blocked = _blocked(root)
    if blocked is not None:
        return [blocked]
    if bluez.result.state is not CheckState.OK:
        return [_without_bluez(root)]
    adapters = [one for one in bluez.adapters if wanted is None or one.matches(wanted)]
    if not adapters:
        names = ", ".join(f"{one.name} ({one.address})" for one in bluez.adapters)
        if wanted is not None and names:
            return [
                CheckResult(
                    NAME, CheckState.ERROR, f"there is no {wanted}; there is {names}", 'correct [head] adapter = "..."'
                )
            ]
        return [CheckResult(NAME, CheckState.ERROR, "no Bluetooth adapter found", PLUG_IN)]
    return [_powered(adapters[0])]


async def bluez_version(root: Path = ROOT, programs: Sequence[str] = DAEMONS) -> list[CheckResult]:
    """Which BlueZ is installed here: the daemon does not give its version over D-Bus."""
    name = "BlueZ"
    found = [str(root / program) for program in programs if (root / program).is_file()]
    program = found[0] if found else shutil.which("bluetoothctl")
    if program is None:
        if is_in_container(root):
            return [
                CheckResult(
                    name, CheckState.UNKNOWN, "its version can be seen on the host only: bluetoothctl --version"
                )
            ]
        return [CheckResult(name, CheckState.ERROR, "not installed", "sudo apt install bluez")]
    version = VERSION.search(await _printed(program, "--version"))
    if version is None:
        return [CheckResult(name, CheckState.UNKNOWN, f"{program} --version printed no version")]
    numbers = int(version[1]), int(version[2])
    if numbers < OLDEST:
        return [
            CheckResult(
                name, CheckState.WARNING, f"{version[0]} is old", "update the system; 5.66 and newer are tested"
            )
        ]
    return [CheckResult(name, CheckState.OK, version[0])]


def _powered(one: BluezAdapter) -> CheckResult:
    if one.is_powered:
        return CheckResult(NAME, CheckState.OK, f"{one.name} ({one.address}) is on")
    fix = "bluetoothctl power on; permanently: AutoEnable=true in /etc/bluetooth/main.conf"
    return CheckResult(NAME, CheckState.ERROR, f"{one.name} ({one.address}) is off", fix)


def _without_bluez(root: Path) -> CheckResult:
    """What the kernel tells where BlueZ cannot be reached."""
    names = sorted(path.name for path in (root / "sys/class/bluetooth").glob("hci*") if ":" not in path.name)
    if names:
        return CheckResult(
            NAME, CheckState.UNKNOWN, f"the kernel has {', '.join(names)}; without BlueZ its state is unknown"
        )
    return CheckResult(NAME, CheckState.ERROR, "the kernel has no Bluetooth adapter", PLUG_IN)


def _blocked(root: Path) -> CheckResult | None:
    """An rfkill switch that keeps the radio off."""
    for switch in sorted((root / "sys/class/rfkill").glob("rfkill*")):
        try:
            kind, soft, hard = ((switch / name).read_text().strip() for name in ("type", "soft", "hard"))
        except OSError:  # unplugged in between
            continue
        if kind == "bluetooth" and hard == "1":
            return CheckResult(
                NAME,
                CheckState.ERROR,
                "switched off by a hardware switch",
                "turn on this computer's wireless switch or key",
            )
        if kind == "bluetooth" and soft == "1":
            return CheckResult(NAME, CheckState.ERROR, "blocked by rfkill", "sudo rfkill unblock bluetooth")
    return None


async def _printed(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        printed, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    return printed.decode(errors="replace")
