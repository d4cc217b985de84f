"""The computer itself: clock, disk, memory, heat, and the port; all read from the kernel, without programs."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.lab.doctor.check import Finding, State

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path("/")
MEBI = 1024 * 1024
LITTLE_DISK, NO_DISK = 1024 * MEBI, 200 * MEBI  # a log and a database grow by a few MiB a month; an update needs more
LITTLE_MEMORY, NO_MEMORY = 300 * MEBI, 120 * MEBI  # Belvedere takes about 100 MiB with a viewer
WARM_C, HOT_C = 70, 80  # a Raspberry Pi slows down from 80 degrees on
STA_UNSYNC = 0x40  # timex.h: the kernel's clock follows no source
TIMEX_BYTES = 208  # struct timex on 64-bit Linux; there is room to spare on 32-bit
TIMEX_STATUS = 40  # where its `status` stands there: after modes (padded), offset, freq, maxerror and esterror
TIMEX_STATUS_32 = 20
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
THROTTLE_NOW = {0: "too little voltage", 1: "clock capped", 2: "throttled", 3: "near the temperature limit"}
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


def clock(status: Callable[[], int] = clock_status) -> list[Finding]:
    """Whether the time follows a source: certificates, logins and logs need it right."""
    if status() & STA_UNSYNC:
        return [Finding("clock", State.WARNING, "follows no time server", "sudo timedatectl set-ntp true")]
    return [Finding("clock", State.OK, "follows a time server")]


def disk(folder: Path) -> list[Finding]:
    """Whether what must survive a restart can be kept."""
    name = "disk"
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    says = f"{free / MEBI / 1024:.1f} GiB free at {place}"
    if room.f_flag & os.ST_RDONLY or not os.access(place, os.W_OK):
        return [
            Finding(name, State.WARNING, f"{place} cannot be written to", "choose another folder: [store] file = ...")
        ]
    if free < NO_DISK:
        return [Finding(name, State.BAD, says, "make room: sudo apt clean, sudo journalctl --vacuum-size=50M")]
    if free < LITTLE_DISK:
        return [Finding(name, State.WARNING, says, "make room: sudo apt clean, sudo journalctl --vacuum-size=50M")]
    return [Finding(name, State.OK, says)]


def memory(root: Path = ROOT) -> list[Finding]:
    """Whether there is memory left."""
    values = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text().splitlines() if ":" in line)
    free = int(values["MemAvailable"].split()[0]) * 1024
    says = f"{free // MEBI} MiB free"
    if free >= LITTLE_MEMORY:
        return [Finding("memory", State.OK, says)]
    state = State.BAD if free < NO_MEMORY else State.WARNING
    return [Finding("memory", state, says, "end other programs; a Raspberry Pi without a desktop has more")]


def heat(root: Path = ROOT) -> list[Finding]:
    """How hot the processor is, and on a Raspberry Pi whether it slows itself down."""
    zones = sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
    degrees = max((value / 1000 for value in map(_number, zones) if value is not None), default=None)
    found = []
    if degrees is None:
        found.append(Finding("temperature", State.UNKNOWN, "this computer does not tell"))
    elif degrees < WARM_C:
        found.append(Finding("temperature", State.OK, f"{degrees:.0f} degrees"))
    else:
        state = State.BAD if degrees >= HOT_C else State.WARNING
        found.append(Finding("temperature", state, f"{degrees:.0f} degrees", "a heat sink or a fan"))
    bits = _number(root / THROTTLED, base=16)
    return found if bits is None else [*found, _throttling(bits)]


def port(host: str, number: int) -> list[Finding]:
    """Whether the door can be opened."""
    name = f"port {number}"
    try:
        family, kind, protocol, _canonical, address = socket.getaddrinfo(
            host or None, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as error:
        return [_port_trouble(name, host, number, error)]
    return [Finding(name, State.OK, f"free on {host}")]


def _port_trouble(name: str, host: str, number: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        return Finding(
            name,
            State.WARNING,
            "in use: by a Belvedere that runs, or by another program",
            f"sudo ss -ltnp sport = :{number}",
        )
    if error.errno == errno.EACCES and number <= LAST_PRIVILEGED_PORT:
        return Finding(name, State.BAD, "only root may listen there", "take a port above 1023: [server] port = 8080")
    return Finding(
        name, State.BAD, f"{host}: {error.strerror or error}", "[server] host = ... must be of this computer"
    )


def _throttling(bits: int) -> Finding:
    now = [words for bit, words in THROTTLE_NOW.items() if bits >> bit & 1]
    before = [words for bit, words in THROTTLE_NOW.items() if bits >> (bit + 16) & 1]
    cure = "the power supply that belongs to this Raspberry Pi, and a fan"
    if now:
        return Finding("power", State.BAD, ", ".join(now), cure)
    if before:
        return Finding("power", State.WARNING, f"since the start there was: {', '.join(before)}", cure)
    return Finding("power", State.OK, "never throttled since the start")


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(path.read_text().strip(), base)
    except (OSError, ValueError):
        return None
