"""The output of a scan: in a terminal, in a pipe, and for programs."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING

from rich.console import Console

from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.profiles import UnitMatch
from belvedere.lab.scan import ScannedDevice, ScanResults
from belvedere.lab.scan_view import as_json, line, show_json, show_lines, show_table, summary, table
from belvedere.sim.head import NAMES, VirtualHead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PROFILE = shipped_profile("zeapon-pons-pt")
LAMP = ScannedDevice(
    address="C0:DE:00:00:00:01",
    name="",
    services=("0000180a-0000-1000-8000-00805f9b34fb",),
    rssi_dbm=-75,
    matches=(),
    seen_at_s=100.0,
)
PAN = ScannedDevice(
    address="C0:DE:00:00:00:02",
    name="PONS-PAN-1",
    services=(),
    rssi_dbm=-50,
    matches=(UnitMatch("ZEAPON PONS PT", Axis.PAN),),
    seen_at_s=100.0,
)


def printed(what: object) -> str:
    console = Console(file=io.StringIO(), width=140, height=20)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def shown(show: Callable[..., Awaitable[None]], duration_s: float = 2.0, *, is_terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=140, height=20, force_terminal=is_terminal, color_system=None)
    async with VirtualHead(PROFILE) as head:
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        await show(console, ScanResults([PROFILE]), adapter, asyncio.Event(), duration_s)
    return file.getvalue()


def test_a_table_says_what_a_device_is_and_how_well_it_is_heard() -> None:
    text = printed(table([PAN, LAMP], 101.0))
    assert "very near (-50)" in text
    assert "ZEAPON PONS PT: the pan unit" in text
    assert "(no name)" in text
    assert "180a Device Information" in text


def test_a_device_that_fell_silent_is_said_to_be() -> None:
    assert "silent for 60 s" in printed(table([LAMP], 160.0))


def test_devices_beyond_the_screen_are_counted() -> None:
    text = printed(table([PAN, LAMP, LAMP], 101.0, limit=1))
    assert "and 2 more" in text
    assert LAMP.address not in text


def test_a_line_marks_a_unit_of_a_head() -> None:
    assert line(PAN).endswith("<- ZEAPON PONS PT: the pan unit")
    assert "<-" not in line(LAMP)


def test_the_sentence_says_what_to_do_next() -> None:
    assert "Switch the unit on" in summary([])
    assert "belvedere inspect" in summary([LAMP])
    assert "PONS-PAN-1" in summary([PAN, LAMP])


def test_a_program_gets_everything() -> None:
    devices = json.loads(as_json([PAN, LAMP], 101.5))["devices"]
    assert devices[0]["matches"] == [{"head": "ZEAPON PONS PT", "axis": "pan"}]
    assert devices[1]["services"] == [{"uuid": "0000180a-0000-1000-8000-00805f9b34fb", "name": "Device Information"}]
    assert devices[1]["seen_s_ago"] == 1.5


async def test_in_a_pipe_each_device_is_one_line_and_a_sentence_ends_it() -> None:
    lines = (await shown(show_lines)).splitlines()
    assert len(lines) == 3
    assert all(name in "\n".join(lines[:2]) for name in NAMES.values())


async def test_a_programs_document_is_all_that_is_printed() -> None:
    assert len(json.loads(await shown(show_json))["devices"]) == 2


async def test_in_a_terminal_the_table_stays_when_the_scan_is_over() -> None:
    text = await shown(show_table, is_terminal=True)
    assert text.count("Scanning on the first adapter (for 2 s)") >= 4
    assert text.rstrip().endswith("unit).")
