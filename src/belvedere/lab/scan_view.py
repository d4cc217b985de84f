"""Shows scan results: as a live table, plain lines, or JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from belvedere.lab.labels import BARS, assigned_name, signal_label, uuid_label
from belvedere.lab.scan import ScannedDevice, ScanResults, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from belvedere.lab.adapter import Adapter
    from belvedere.lab.profiles import UnitMatch

SILENT_AFTER_S = 10.0  # most devices advertise at least once a second; one that was silent for this long is dimmed
REDRAWS_PER_S = 4
RESERVED_ROWS = 6  # of the screen: title, table header, the summary below, and margins
COLOURS = {"very near": "green", "good": "green", "weak": "yellow"}


async def show_table(
    console: Console, results: ScanResults, adapter: Adapter, done: asyncio.Event, duration_s: float | None
) -> None:
    """A live table as long as the screen allows; at the end, the whole table."""
    loop = asyncio.get_running_loop()
    until = f"for {duration_s:g} s" if duration_s is not None else "Ctrl-C to stop"

    def draw() -> Group:
        title = Text(f"Scanning on {adapter.name or 'the first adapter'} ({until})", style="bold")
        devices = results.devices
        limit = max(1, console.height - RESERVED_ROWS)
        return Group(title, table(devices, loop.time(), limit=limit), summary(devices) if devices else "")

    with Live(draw(), console=console, auto_refresh=False, transient=True) as live:
        redrawing = asyncio.create_task(_redraw(live, draw))
        try:
            await scan(results, adapter, done, duration_s=duration_s)
        finally:
            redrawing.cancel()
            await asyncio.wait({redrawing})
    devices = results.devices
    if devices:
        console.print(table(devices, loop.time()))
    console.print(summary(devices))


async def show_lines(
    console: Console, results: ScanResults, adapter: Adapter, done: asyncio.Event, duration_s: float | None
) -> None:
    """A line per device when it is found, another once it matches a profile, and a summary."""
    shown: dict[str, tuple[UnitMatch, ...]] = {}

    def receive(device: ScannedDevice, _is_new: bool) -> None:  # noqa: FBT001 - the signature of `scan`'s callback
        if shown.get(device.address) != device.matches:
            shown[device.address] = device.matches
            console.file.write(line(device) + "\n")
            console.file.flush()

    await scan(results, adapter, done, duration_s=duration_s, on_advertisement=receive)
    console.file.write(summary(results.devices) + "\n")


async def show_json(
    console: Console, results: ScanResults, adapter: Adapter, done: asyncio.Event, duration_s: float | None
) -> None:
    """One JSON document at the end."""
    await scan(results, adapter, done, duration_s=duration_s)
    console.file.write(as_json(results.devices, asyncio.get_running_loop().time()) + "\n")


async def _redraw(live: Live, draw: Callable[[], Group]) -> None:
    while True:
        live.update(draw(), refresh=True)
        await asyncio.sleep(1 / REDRAWS_PER_S)


def table(devices: Sequence[ScannedDevice], now: float, *, limit: int | None = None) -> Table:
    """The devices as a table; those beyond `limit` are only counted."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    shown.add_column("signal", no_wrap=True)
    shown.add_column("name", overflow="fold", min_width=12)
    shown.add_column("address", no_wrap=True)
    shown.add_column("advertised services", overflow="fold")
    shown.add_column("matches", overflow="fold")
    for device in devices[:limit]:
        is_silent = now - device.seen_at_s > SILENT_AFTER_S
        style = "dim" if is_silent else "bold" if device.matches else ""
        shown.add_row(
            _signal(device, now, is_silent=is_silent),
            device.name or Text("(no name)", style="dim"),
            device.address,
            ", ".join(map(uuid_label, device.services)),
            match_label(device),
            style=style,
        )
    if limit is not None and len(devices) > limit:
        shown.add_row("", Text(f"and {len(devices) - limit} more", style="dim"), "", "", "")
    return shown


def line(device: ScannedDevice) -> str:
    """A device in one line, for output that is not a terminal."""
    services = ", ".join(map(uuid_label, device.services)) or "no services advertised"
    marker = f"  <- {match_label(device)}" if device.matches else ""
    return f"{device.rssi_dbm:4} dBm  {device.address}  {device.name or '(no name)'}  [{services}]{marker}"


def summary(devices: Sequence[ScannedDevice]) -> str:
    """The result in one sentence, with what to do next."""
    matching = [device for device in devices if device.matches]
    if not devices:
        return "No devices found. Switch the unit on, bring it close, and scan again."
    counted = "1 device" if len(devices) == 1 else f"{len(devices)} devices"
    if not matching:
        return f"{counted}; none matches a profile. Run `belvedere inspect ADDRESS` to see what one offers."
    names = ", ".join(f"{device.name or device.address} ({match_label(device)})" for device in matching)
    return f"{counted}; units of a head: {names}."


def as_json(devices: Sequence[ScannedDevice], now: float) -> str:
    """The devices as one JSON document."""
    return json.dumps({"devices": [_plain(device, now) for device in devices]}, indent=2, ensure_ascii=False)


def match_label(device: ScannedDevice) -> str:
    """Which units of which heads it matches, or ""."""
    return " or ".join(map(_match_text, device.matches))


def _match_text(unit_match: UnitMatch) -> str:
    return f"{unit_match.head}: the {unit_match.axis} unit"


def _signal(device: ScannedDevice, now: float, *, is_silent: bool) -> Text:
    if is_silent:
        return Text(f"silent for {now - device.seen_at_s:.0f} s")
    label = signal_label(device.rssi_dbm)
    return Text(f"{BARS[label]:<4} {label} ({device.rssi_dbm})", style=COLOURS.get(label, "red"))


def _plain(device: ScannedDevice, now: float) -> dict[str, object]:
    return {
        "address": device.address,
        "name": device.name,
        "rssi_dbm": device.rssi_dbm,
        "signal": signal_label(device.rssi_dbm),
        "services": [{"uuid": uuid, "name": assigned_name(uuid)} for uuid in device.services],
        "matches": [{"head": unit_match.head, "axis": unit_match.axis} for unit_match in device.matches],
        "seen_s_ago": round(now - device.seen_at_s, 1),
        "count": device.count,
    }
