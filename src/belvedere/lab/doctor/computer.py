"""The computer itself: clock, disk, memory, temperature and the port; read from the kernel, without other programs."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path("/")
MEBI = 1024 * 1024
DISK_WARNING_BYTES, DISK_ERROR_BYTES = (
    1024 * MEBI,
    200 * MEBI,
)  # the log and the store grow by a few MiB a month; a system update needs more
MEMORY_WARNING_BYTES, MEMORY_ERROR_BYTES = 300 * MEBI, 120 * MEBI  # Belvedere takes about 100 MiB with a viewer
TEMPERATURE_WARNING_C, TEMPERATURE_ERROR_C = 70, 80  # a Raspberry Pi throttles from 80 °C on
STA_UNSYNC = 0x40  # timex.h: the kernel's clock follows no source
TIMEX_BYTES = 208  # struct timex on 64-bit Linux; there is room to spare on 32-bit
TIMEX_STATUS = 40  # where its `status` stands there: after modes (padded), offset, freq, maxerror and esterror
TIMEX_STATUS_32 = 20
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
THROTTLE_NOW = {0: "under-voltage", 1: "CPU frequency capped", 2: "throttled", 3: "temperature limit reached"}
LAST_PRIVILEGED_PORT = 1023


def clock_status() -> int:
    """The kernel's clock status bits. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    if libc.adjtimex(timex) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    at = TIMEX_STATUS if ctypes.sizeof(ctypes.c_long) == 8 else TIMEX_STATUS_32  # noqa: PLR2004 - bytes of a long
    return int.from_bytes(timex.raw[at : at + 4], "little")


def clock(status: Callable[[], int] = clock_status) -> list[CheckResult]:
    """Whether the clock is synchronised: certificates, logins and logs need the right time."""
    if status() & STA_UNSYNC:
        return [
            CheckResult(
                "clock", CheckState.WARNING, "not synchronised with a time server", "sudo timedatectl set-ntp true"
            )
        ]
    return [CheckResult("clock", CheckState.OK, "synchronised with a time server")]


def disk(folder: Path) -> list[CheckResult]:
    """Whether the store can be written, and has room."""
    name = "disk"
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    filesystem = os.statvfs(place)
    free = filesystem.f_bavail * filesystem.f_frsize
    message = f"{free / MEBI / 1024:.1f} GiB free at {place}"
    if filesystem.f_flag & os.ST_RDONLY or not os.access(place, os.W_OK):
        return [
            CheckResult(
                name, CheckState.WARNING, f"{place} is not writable", "choose another folder: [store] file = ..."
            )
        ]
    if free < DISK_ERROR_BYTES:
        return [
            CheckResult(
                name, CheckState.ERROR, message, "free some space: sudo apt clean, sudo journalctl --vacuum-size=50M"
            )
        ]
    if free < DISK_WARNING_BYTES:
        return [
            CheckResult(
                name, CheckState.WARNING, message, "free some space: sudo apt clean, sudo journalctl --vacuum-size=50M"
            )
        ]
    return [CheckResult(name, CheckState.OK, message)]


def memory(root: Path = ROOT) -> list[CheckResult]:
    """Whether there is memory left."""
    values = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text().splitlines() if ":" in line)
    free = int(values["MemAvailable"].split()[0]) * 1024
    message = f"{free // MEBI} MiB free"
    if free >= MEMORY_WARNING_BYTES:
        return [CheckResult("memory", CheckState.OK, message)]
    state = CheckState.ERROR if free < MEMORY_ERROR_BYTES else CheckState.WARNING
    return [
        CheckResult(
            "memory", state, message, "close other programs; Raspberry Pi OS Lite, without a desktop, leaves more free"
        )
    ]


def temperature(root: Path = ROOT) -> list[CheckResult]:
    """How hot the processor is, and on a Raspberry Pi whether it throttles."""
    zones = sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
    degrees = max((value / 1000 for value in map(_number, zones) if value is not None), default=None)
    found = []
    if degrees is None:
        found.append(
            CheckResult("temperature", CheckState.UNKNOWN, "this computer has no temperature sensor that Linux knows")
        )
    elif degrees < TEMPERATURE_WARNING_C:
        found.append(CheckResult("temperature", CheckState.OK, f"{degrees:.0f} °C"))
    else:
        state = CheckState.ERROR if degrees >= TEMPERATURE_ERROR_C else CheckState.WARNING
        found.append(CheckResult("temperature", state, f"{degrees:.0f} °C", "add a heat sink or a fan"))
    bits = _number(root / THROTTLED, base=16)
    return found if bits is None else [*found, _throttling(bits)]


def port(host: str, number: int) -> list[CheckResult]:
    """Whether the server can listen on its port."""
    name = f"port {number}"
    try:
        family, kind, protocol, _canonical, address = socket.getaddrinfo(
            host or None, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as error:
        return [_port_error(name, host, number, error)]
    return [CheckResult(name, CheckState.OK, f"free on {host}")]


def _port_error(name: str, host: str, number: int, error: OSError) -> CheckResult:
    if error.errno == errno.EADDRINUSE:
        return CheckResult(
            name,
            CheckState.WARNING,
            "already in use, by a running Belvedere or another program",
            f"see which program: sudo ss -ltnp sport = :{number}",
        )
    if error.errno == errno.EACCES and number <= LAST_PRIVILEGED_PORT:
        return CheckResult(
            name,
            CheckState.ERROR,
            "only root may listen on ports below 1024",
            "choose a higher one: [server] port = 8080",
        )
    return CheckResult(
        name, CheckState.ERROR, f"{host}: {error.strerror or error}", "set [server] host to an address of this computer"
    )


def _throttling(bits: int) -> CheckResult:
    now = [label for bit, label in THROTTLE_NOW.items() if bits >> bit & 1]
    before = [label for bit, label in THROTTLE_NOW.items() if bits >> (bit + 16) & 1]
    fix = "use the power supply made for this Raspberry Pi, and a fan"
    if now:
        return CheckResult("power", CheckState.ERROR, ", ".join(now), fix)
    if before:
        return CheckResult("power", CheckState.WARNING, f"since boot: {', '.join(before)}", fix)
    return CheckResult("power", CheckState.OK, "not throttled since boot")


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(path.read_text().strip(), base)
    except (OSError, ValueError):
        return None
