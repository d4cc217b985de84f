"""Compares with Wireshark: what `belvedere snoop` reads in a log is what `tshark` prints of it, field by field.

The logs are of our own making: a virtual phone's, which bumble writes, and generated ones of the formats that bumble
does not write. BELVEDERE_LOGS may name a folder with logs of real phones; by default it is `shared/data/btsnoop` beside
the clone.
"""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
import os
import random
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.support.captures import hci_log, usb_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet
from tests.support.captures.phone import use_app

from belvedere.head.profile import shipped_profile
from belvedere.lab.logs.analysis import LogAnalysis, Selection
from belvedere.lab.snoop_view import write_csv
from belvedere.sim.head import VirtualHead
from belvedere.sim.physics import Motor
from belvedere.sim.unit import COMMAND, STATE, VirtualUnit
from belvedere.testing.clock import AutojumpLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.realtime  # another program takes part

ROOT = Path(__file__).parents[2]
PROFILE = shipped_profile("zeapon-pons-pt")
PAN, TILT = "C0:DE:00:00:5A:1E", "C0:DE:00:00:5A:1F"

FIELDS = (
    *("frame.number", "frame.p2p_dir", "frame.time_epoch", "btatt.opcode", "btatt.handle", "btatt.value"),
    *("hci_mon.opcode", "usb.endpoint_address", "bthci_acl.dst.bd_addr", "bthci_acl.src.bd_addr"),
)
USES: dict[str, dict[str, bool]] = {"discovered": {}, "known": {"is_known": True}, "paired": {"is_paired": True}}
"""Ways to use the app, as arguments of `use_app`."""

CLASSIC = 0x0B
"""The handle of a connection of classic Bluetooth."""

DIRECTIONS = {"0": "sent", "1": "received", "4": "sent", "5": "received", "0x02": "sent", "0x82": "received"}
"""Directions as encoded in frames, by Linux's monitor and by the endpoints of USB."""

COMPARED = ("0x12", "0x52", "0xd2", "0x1b", "0x1d")
"""All writes, notifications and indications."""


class Seen(NamedTuple):
    """One PDU, as read by either of the two."""

    frame: int
    time: str
    direction: str
    opcode: str
    handle: str
    value: str


def tshark(path: Path, *arguments: str) -> str:
    ran = subprocess.run(["tshark", "-r", str(path), *arguments], capture_output=True, text=True, check=False)
    assert ran.stdout or not ran.returncode, ran.stderr
    return ran.stdout


def seen_by_tshark(path: Path) -> tuple[list[Seen], dict[int, str]]:
    """What it prints of every PDU of attributes, and the other side's address by frame."""
    selection = "btatt.opcode in {" + ", ".join(COMPARED) + "}"
    options = [option for field in FIELDS for option in ("-e", field)]
    rows = [line.split("\t") for line in tshark(path, "-Y", selection, "-T", "fields", *options).splitlines()]
    values = decoded_values(path, selection)
    seen, addresses = [], {}
    for frame, way, time, opcode, handle, value, monitor, endpoint, to, of in rows:
        direction = DIRECTIONS[way or monitor or endpoint]
        # What 4.0 decodes by its UUID it prints without `btatt.value`, such as subscriptions.
        seen.append(Seen(int(frame), time, direction, opcode, handle, value or values.get(int(frame), "")))
        addresses[int(frame)] = to if direction == "sent" else of
    return seen, addresses


def decoded_values(path: Path, selection: str) -> dict[int, str]:
    """The values of PDUs that are printed without, from their bytes."""
    printed = tshark(path, "-Y", f"({selection}) and not btatt.value", "-T", "json", "-x", "-j", "frame btatt")
    layers = [packet["_source"]["layers"] for packet in json.loads(printed or "[]")]
    pdus = {int(one["frame"]["frame.number"]): one["btatt_raw"][0] for one in layers}
    return {frame: pdu[6 : -24 if pdu.startswith("d2") else None] for frame, pdu in pdus.items()}


def seen_by_us(path: Path) -> tuple[list[Seen], dict[int, str]]:
    """What `--csv` prints of the same."""
    file = io.StringIO()
    write_csv(LogAnalysis(path).labelled_values(Selection()), file)
    rows = [row for row in csv.DictReader(io.StringIO(file.getvalue())) if row["opcode"] in COMPARED]
    seen = [
        Seen(int(one["frame"]), one["time"], one["direction"], one["opcode"], one["handle"], one["value"])
        for one in rows
    ]
    return seen, {int(one["frame"]): one["device"].lower() for one in rows}


def assert_same(path: Path) -> int:
    """Compare both field by field; returns how many PDUs there were."""
    (theirs, their_devices), (ours, our_devices) = seen_by_tshark(path), seen_by_us(path)
    for one, other in itertools.zip_longest(ours, theirs):
        assert one is not None, f"only tshark saw {other}"
        assert other is not None, f"only we saw {one}"
        assert one._replace(time="") == other._replace(time="")
        assert float(one.time) == pytest.approx(float(other.time), abs=1e-9)
    for frame, device in our_devices.items():
        known = their_devices[frame]
        assert device.startswith("connection") or known in {device, "", "00:00:00:00:00:00"}
    return len(ours)


def phones_log(path: Path, *, is_known: bool = False, is_paired: bool = False) -> None:
    """A log of the app's use by a virtual phone, with a device beside that has nothing to do with it."""

    async def app_stream() -> None:
        async with VirtualHead(PROFILE) as head:
            motor = Motor(full_speed_deg_per_s=1.0, acceleration_deg_per_s2=1.0, ends_deg=(-1.0, 1.0))
            stranger = VirtualUnit(head.medium, "BAND-7", "C0:DE:00:00:77:77", PROFILE.frame, motor)
            await stranger.start()
            with path.open("wb") as file:
                await use_app(head, file, PROFILE.frame, is_known=is_known, is_paired=is_paired)
            await stranger.close()

    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        runner.run(app_stream())


@pytest.mark.parametrize("how", USES)
def test_a_virtual_phones_log_is_read_as_wireshark_reads_it(tmp_path: Path, how: str) -> None:
    path = tmp_path / "btsnoop_hci.log"
    phones_log(path, **USES[how])
    assert assert_same(path) > 300
    summary = LogAnalysis(path).summary
    assert [(one.label, one.name[:6], len(one.connections)) for one in summary.devices] == [
        (PAN, "PONS-P", 2),
        (TILT, "PONS-T", 1),
    ]
    commands = {one.device: one.uuid for one in summary.streams if one.opcode == 0x52}
    on_progress = {one.device: one.uuid for one in summary.streams if one.opcode == 0x1B}
    known = None if how == "known" else COMMAND
    assert commands == {PAN: known, TILT: known}
    assert on_progress == {PAN: known and STATE, TILT: known and STATE}
    assert all(one.is_encrypted == (how == "paired") for device in summary.devices for one in device.connections)


def any_packets(chance: random.Random, many: int) -> Iterator[Packet]:
    """A busy log with everything that may happen to a frame on its way; connections come, go and come back."""
    time_us = 1_700_000_000_000_000
    for handle, address in ((0x40, PAN), (0x41, TILT)):
        yield Packet(time_us, RECEIVED, EVENT, hci_log.connected(handle, address, version=handle & 1))
    for _ in range(many):
        time_us += chance.randrange(1, 40_000)
        handle, way = chance.choice((0x40, 0x41, 0x42)), chance.choice((SENT, RECEIVED))
        opcode = chance.choice((0x12, 0x52, 0x52, 0x52, 0xD2, 0x13, 0x0A, 0x08) if way == SENT else (0x1B, 0x1B, 0x1D))
        value = chance.randbytes(chance.choice((0, 1, 2, 12, 20, 60, 200)))
        pdu = bytes([opcode]) + chance.randrange(1, 0x30).to_bytes(2, "little") + value
        frame = hci_log.l2cap(pdu, cid=chance.choice((4, 4, 4, 4, 0x45)))
        dependencies = hci_log.fragments(handle, frame, chance.choice((27, 64, 251)), boundary=0 if way == SENT else 2)
        fate = chance.random()
        if fate < 0.1 and len(dependencies) > 1:
            dependencies.pop(chance.randrange(1, len(dependencies)))
            dependencies = dependencies[:1]  # what follows a gap means nothing
        # Of a signed write that is cut, tshark 4.0 takes the signature off what is left, where it never was.
        is_cuttable = len(dependencies) == 1 and len(dependencies[0]) > 12 and opcode != 0xD2
        kept = chance.randrange(11, len(dependencies[0])) if fate > 0.95 and is_cuttable else None
        for part in dependencies:
            yield Packet(time_us, way, ACL, part, kept)
        if len(dependencies) == 1 and fate < 0.1:
            yield from (Packet(time_us, way, ACL, one) for one in closing(handle, way))
        if fate > 0.98 and handle != 0x42:
            yield Packet(time_us, RECEIVED, EVENT, hci_log.disconnected(handle))
            yield Packet(time_us, RECEIVED, EVENT, hci_log.connected(handle, chance.choice((PAN, TILT))))


def with_classic(packets: Iterator[Packet], chance: random.Random) -> Iterator[Packet]:
    """The same with a classic connection between, on which channels of attributes come and go."""
    yield next(packets)
    address = hci_log.air_order("00:1B:DC:00:00:01")
    begun = hci_log.event(3, b"\0" + struct.pack("<H", CLASSIC) + address + b"\1\0")
    ours, theirs, asker, is_open = 0x40, 0x40, SENT, False
    signals: list[tuple[int, tuple[int, ...]]]
    for number, packet in enumerate(packets):
        if number == 0:
            yield packet._replace(direction=RECEIVED, kind=EVENT, data=begun, kept=None)
        way = chance.choice((SENT, RECEIVED))
        if chance.random() < (0.05 if is_open else 0.5):
            is_open = not is_open
            if is_open:
                ours, theirs = chance.randrange(0x40, 0x48), chance.randrange(0x40, 0x48)
                asker = way
                signals = [(asker, (2, 0x1F, ours)), (1 - asker, (3, theirs, ours, 0, 0))]
            else:
                signals = [(asker, (6, theirs, ours)), (1 - asker, (7, theirs, ours))]
            for side, (code, *numbers) in signals:
                body = struct.pack(f"<{len(numbers)}H", *numbers)
                data = hci_log.att(CLASSIC, struct.pack("<BBH", code, 1, len(body)) + body, cid=1)
                yield packet._replace(direction=side, kind=ACL, data=data, kept=None)
        elif is_open:
            pdu = b"\x52\x17\0" if way == SENT else b"\x1b\x19\0"
            frame = hci_log.l2cap(pdu + chance.randbytes(chance.randrange(60)), cid=theirs if way == asker else ours)
            for part in hci_log.fragments(CLASSIC, frame, chance.choice((30, 300)), boundary=2):
                yield packet._replace(direction=way, kind=ACL, data=part, kept=None)
        yield packet


def closing(handle: int, way: int) -> list[bytes]:
    """A frame in two parts, which ends for everybody what was incomplete before it."""
    return hci_log.fragments(handle, hci_log.l2cap(b"\x52\x01\0" + bytes(10)), 9, boundary=0 if way == SENT else 2)


def over_usb(packets: list[Packet], linktype: int) -> bytes:
    """Whole, because of a transfer that is cut tshark 4.0 prints nothing."""
    whole = [packet._replace(kept=None) for packet in packets]
    return usb_log.usb([*usb_log.described(), *usb_log.transfers(whole, size=64)], linktype=linktype)


WAYS = {
    "h1.log": lambda packets: hci_log.btsnoop(packets, datalink=1001),
    "h4.log": lambda packets: hci_log.btsnoop(packets, datalink=1002),
    "monitor.log": lambda packets: hci_log.btsnoop(packets, datalink=2001),
    "phdr.pcap": lambda packets: hci_log.pcap(packets, linktype=201),
    "phdr-big-endian-nano.pcap": lambda packets: hci_log.pcap(packets, linktype=201, order=">", is_nano=True),
    "monitor.pcap": lambda packets: hci_log.pcap(packets, linktype=254),
    "phdr.pcapng": lambda packets: hci_log.pcapng(packets, linktype=201),
    "phdr-big-endian.pcapng": lambda packets: hci_log.pcapng(packets, linktype=201, order=">", resolution=9),
    "monitor.pcapng": lambda packets: hci_log.pcapng(packets, linktype=254),
    "usbmon.pcap": lambda packets: over_usb(packets, usb_log.USBMON),
    "usbmon-mmapped.pcap": lambda packets: over_usb(packets, usb_log.USBMON_MMAPPED),
    "usbpcap.pcap": lambda packets: over_usb(packets, usb_log.USBPCAP),
}


@pytest.mark.parametrize("name", WAYS)
def test_whatever_happens_to_frames_in_whatever_file_they_are_read_as_wireshark_reads_them(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    chance = random.Random(name)
    path.write_bytes(WAYS[name](list(with_classic(any_packets(chance, 1500), chance))))
    assert assert_same(path) > 1500


def test_a_log_cut_short_is_read_as_far_as_wireshark_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "cut.log"
    path.write_bytes(hci_log.btsnoop(any_packets(random.Random(1), 100))[:-7])
    assert assert_same(path) > 50


def logs() -> list[Path]:
    """What is in the folder that BELVEDERE_LOGS names, or in one beside the clone."""
    named = os.environ.get("BELVEDERE_LOGS")
    folder = Path(named) if named else ROOT.parent / "shared/data/btsnoop"
    kinds = (".log", ".cfa", ".btsnoop", ".pcap", ".pcapng")
    return sorted(path for path in folder.glob("**/*") if path.suffix in kinds) if folder.is_dir() else []


@pytest.mark.skipif(not logs(), reason="there are no logs of real phones; BELVEDERE_LOGS names a folder of them")
def test_logs_of_real_phones_are_read_as_wireshark_reads_them() -> None:
    assert sum(assert_same(path) for path in logs()) > 0
