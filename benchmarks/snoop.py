"""How fast, and in how much memory, a phone's Bluetooth log is read, compared with Wireshark."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.support.captures.hci_log import (
    ACL,
    EVENT,
    RECEIVED,
    SENT,
    Packet,
    acl,
    advertised,
    att,
    btsnoop_record,
    connected,
    disconnected,
    event,
    fragments,
    l2cap,
    named,
)

from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = Path("build/bench/snoop.log")
POLL_S = 0.05
LOG_BYTES = 100_000_000
ROUNDS = 3
MIN_MB_PER_S = 20.0
MAX_MIB = 150.0
COMMAND = b"\x04\x00\x52"  # the ATT channel, and a write command
SECONDS_PER_CONNECTION = 600  # of the app to the units
RIVAL_IS = "tshark of Debian on the same file, printing every attribute PDU as opcode, handle and value"
WHAT = "a log of 100 MB: an app drives two units at 20 Hz, advertisers around, headphones, records of 45 bytes mostly"


def run() -> list[Result]:
    """Write a log, and read it with both."""
    commands = write_log(LOG)
    took, memory = zip(*(_read_ours(commands) for _ in range(ROUNDS)), strict=True)
    rival_took, rival_memory = _measured(*_tshark())[:2]
    size_mb = LOG.stat().st_size / 1e6
    LOG.unlink()
    return [
        compare(
            "snoop-time",
            f"`belvedere snoop --json` of {WHAT}, for each MB; the budget is {MIN_MB_PER_S:g} MB/s",
            "ms/MB",
            ours=[1000 * seconds / size_mb for seconds in took],
            rival=[1000 * rival_took / size_mb],
            rival_is=RIVAL_IS,
            budget=1000 / MIN_MB_PER_S,
        ),
        compare(
            "snoop-memory",
            "peak memory",
            "MiB",
            ours=memory,
            rival=[rival_memory],
            rival_is=RIVAL_IS,
            budget=MAX_MIB,
        ),
    ]


def write_log(path: Path, size: int = LOG_BYTES) -> int:
    """Write a log of this size; returns how many commands for the units are in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    commands = written = 0
    with path.open("wb") as file:
        written += file.write(struct.pack(">8sII", b"btsnoop\0", 1, 1002))
        for packet in phone_traffic(Random(1)):
            commands += packet.direction == SENT and packet.kind == ACL and packet.data[6:9] == COMMAND
            written += file.write(btsnoop_record(packet))
            if written >= size:
                return commands
    raise AssertionError("phone_traffic ended")


def phone_traffic(random: Random) -> Iterator[Packet]:
    """An endless phone's log: mostly small packets, and a few that must be decoded together with others."""
    second = 0
    addresses = {0x40: "C0:DE:00:00:5A:1E", 0x41: "C0:DE:00:00:5A:1F"}
    neighbours = [f"{0xC0 | number & 0x3F:02X}:DE:00:01:00:{number:02X}" for number in range(40)]
    while True:
        for handle, address in addresses.items():
            yield Packet(second * 1_000_000, RECEIVED, EVENT, connected(handle, address))
        for _ in range(SECONDS_PER_CONNECTION):
            yield from _second(second * 1_000_000, random, neighbours)
            second += 1
        for handle in addresses:
            yield Packet(second * 1_000_000, RECEIVED, EVENT, disconnected(handle))


def _second(at_us: int, random: Random, neighbours: list[str]) -> Iterator[Packet]:
    for tick in range(20):
        now_us = at_us + tick * 50_000
        for handle in (0x40, 0x41):
            direction, speed = random.choice((0, 1, 2)), random.randrange(1000)
            frame = bytes([2, direction, 0, speed // 100, int(f"{speed % 100:02}", 16)]) + bytes(7)
            yield Packet(now_us, SENT, ACL, att(handle, b"\x52\x17\x00" + frame))
            done = event(0x13, struct.pack("<BHH", 1, handle, 1))
            yield Packet(now_us + 20_000, RECEIVED, EVENT, done)
        if tick % 4 == 0:
            yield Packet(now_us + 25_000, RECEIVED, ACL, att(0x40, b"\x1b\x1a\x00\x82\x01" + bytes(10)))
            neighbour = random.choice(neighbours)
            yield Packet(now_us + 26_000, RECEIVED, EVENT, advertised(neighbour, named(f"thing {neighbour[-2:]}")))
        if tick % 10 == 0:  # headphones: far larger packets of another protocol
            yield Packet(now_us + 30_000, SENT, ACL, acl(0x0B, l2cap(random.randbytes(600), cid=0x45)))
    for piece in fragments(0x40, l2cap(b"\x12\x20\x00" + random.randbytes(40)), 27):
        yield Packet(at_us + 990_000, SENT, ACL, piece)


def _read_ours(commands: int) -> tuple[float, float]:
    seconds, mib, output = _measured(sys.executable, "-m", "belvedere.cli", "snoop", str(LOG), "--json")
    count = sum(stream["count"] for stream in json.loads(output)["streams"] if stream["opcode"] == 0x52)
    if count != commands:
        raise AssertionError(f"{count} of {commands} commands were read")
    return seconds, mib


def _tshark() -> list[str]:
    fields = [word for name in ("opcode", "handle", "value") for word in ("-e", f"btatt.{name}")]
    return ["tshark", "-r", str(LOG), "-Y", "btatt", "-T", "fields", "-e", "frame.number", *fields]


def _measured(*command: str) -> tuple[float, float, str]:
    """Seconds, peak memory in MiB, and the output."""
    began, peak_kib = time.monotonic(), 0
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL) as child,
    ):
        while child.poll() is None:
            # Not `ru_maxrss`, which begins with the memory of this process, because the child is a copy of it at first.
            peak_kib = max(peak_kib, _peak_kib(child.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(POLL_S)
        seconds = time.monotonic() - began
        if child.returncode != 0:
            raise AssertionError(f"{command[0]} ended with {child.returncode}")
        output.seek(0)
        return seconds, peak_kib / 1024, output.read()


def _peak_kib(pid: int) -> int:
    """The most memory that a process has had resident; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
