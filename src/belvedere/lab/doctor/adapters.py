"""The Bluetooth adapter: is there one, is it blocked, is it on; and which BlueZ drives it."""

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
OLDEST = (5, 55)  # Raspberry Pi OS Bullseye's; older ones lose notifications and connections in ways long mended
VERSION = re.compile(r"(\d+)\.(\d+)")
ANSWER_S = 3.0
PLUG_IN = "plug a Bluetooth dongle in; on a Raspberry Pi remove dtoverlay=disable-bt from config.txt and restart"


def adapter(bluez: BluezSnapshot, wanted: str | None, root: Path = ROOT) -> list[CheckResult]:
    """Whether the adapter (`hci0` or an address; the first where none is `wanted`) can be used."""
    blocked = _blocked(root)
    if blocked is not None:
        return [blocked]
    if bluez.result.state is not CheckState.OK:
        return [_without_bluez(root)]
    adapters = [one for one in bluez.adapters if wanted is None or one.goes_by(wanted)]
    if not adapters:
        names = ", ".join(f"{one.name} ({one.address})" for one in bluez.adapters)
        if wanted is not None and names:
            return [CheckResult(NAME, CheckState.ERROR, f"there is no {wanted}, but {names}", '[head] adapter = "..."')]
        return [CheckResult(NAME, CheckState.ERROR, "there is none", PLUG_IN)]
    return [_powered(adapters[0])]


async def bluez_version(root: Path = ROOT, programs: Sequence[str] = DAEMONS) -> list[CheckResult]:
    """Which BlueZ is installed here; the service itself does not tell."""
    name = "BlueZ"
    found = [str(root / program) for program in programs if (root / program).is_file()]
    program = found[0] if found else shutil.which("bluetoothctl")
    if program is None:
        if is_in_container(root):
            return [CheckResult(name, CheckState.UNKNOWN, "its version shows on the host only: bluetoothctl --version")]
        return [CheckResult(name, CheckState.ERROR, "is not installed", "sudo apt install bluez")]
    version = VERSION.search(await _printed(program, "--version"))
    if version is None:
        return [CheckResult(name, CheckState.UNKNOWN, f"{program} does not tell its version")]
    numbers = int(version[1]), int(version[2])
    if numbers < OLDEST:
        return [
            CheckResult(
                name, CheckState.WARNING, f"{version[0]} is old", "update the system: 5.66 or newer is well tried"
            )
        ]
    return [CheckResult(name, CheckState.OK, version[0])]


def _powered(one: BluezAdapter) -> CheckResult:
    if one.is_powered:
        return CheckResult(NAME, CheckState.OK, f"{one.name} ({one.address}) is on")
    fix = "bluetoothctl power on; for good: AutoEnable=true in /etc/bluetooth/main.conf"
    return CheckResult(NAME, CheckState.ERROR, f"{one.name} ({one.address}) is off", fix)


def _without_bluez(root: Path) -> CheckResult:
    """What the kernel alone says."""
    names = sorted(path.name for path in (root / "sys/class/bluetooth").glob("hci*") if ":" not in path.name)
    if names:
        return CheckResult(
            NAME, CheckState.UNKNOWN, f"the kernel has {', '.join(names)}; whether it is on, BlueZ would know"
        )
    return CheckResult(NAME, CheckState.ERROR, "the kernel has none", PLUG_IN)


def _blocked(root: Path) -> CheckResult | None:
    """A switch that keeps the radio off."""
    for switch in sorted((root / "sys/class/rfkill").glob("rfkill*")):
        try:
            kind, soft, hard = ((switch / name).read_text().strip() for name in ("type", "soft", "hard"))
        except OSError:  # gone meanwhile
            continue
        if kind == "bluetooth" and hard == "1":
            return CheckResult(
                NAME, CheckState.ERROR, "is switched off in hardware", "find the switch or key for radio"
            )
        if kind == "bluetooth" and soft == "1":
            return CheckResult(NAME, CheckState.ERROR, "is blocked", "sudo rfkill unblock bluetooth")
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
