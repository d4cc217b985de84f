"""Shows the summary of a log: as tables, as one JSON document, or as CSV with a line per value."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import msgspec
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from belvedere.lab.labels import assigned_name, uuid_label
from belvedere.lab.logs.values import DIRECTION_LABELS, OPCODE_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from belvedere.lab.logs.analysis import LabelledValue
    from belvedere.lab.logs.summary import ConnectionSummary, DeviceSummary, LogSummary, StreamSummary

COLUMNS = ("frame", "time", "device", "direction", "opcode", "handle", "uuid", "value")
ARROWS = {"sent": "->", "received": "<-", "unknown": "--"}
MAX_CONNECTIONS_SHOWN = 5  # per device
MAX_UUIDS_SHOWN = 3  # that a handle had before
MAX_BYTES_SHOWN = 20  # of an example value; a head's commands are shorter
LOCAL_TIMES = "Times are local; --csv and --json give them as seconds since 1970, UTC."
UTC_TIMES = "Times are UTC."
NO_VALUES = (
    "No values were found. Only GATT attributes are analysed (what apps read, write and get notified of, on Low Energy "
    "or classic Bluetooth's PSM 31), not audio, serial links or other protocols."
)
CUT_VALUES = (
    "This is a summary, which has most values in part only. Set the Bluetooth HCI snoop log to full, or enabled, in "
    "the phone's developer options, switch Bluetooth off and on, and record another log."
)
NS_PER_S = 1_000_000_000


def render(summary: LogSummary, *, is_local: bool = True) -> Group:
    """Each device with its streams, and notes; times are in this computer's time zone, or UTC."""
    zone = None if is_local else UTC
    parts: list[Text | Table] = [Text(LOCAL_TIMES if is_local else UTC_TIMES, style="dim")]
    for device in summary.devices:
        streams = [stream for stream in summary.streams if stream.device == device.label]
        lacks_uuids = any(not stream.is_host_attribute for stream in streams) and not device.has_discovery
        parts.append(device_header(device, zone, lacks_uuids=lacks_uuids))
        parts.append(streams_table(streams) if streams else Text("  no values were found\n", style="dim"))
    return Group(*parts, *(Text(note) for note in notes(summary)))


def device_header(device: DeviceSummary, zone: tzinfo | None, *, lacks_uuids: bool) -> Text:
    """The device, whether the UUIDs of its handles are missing from the log, and when it was connected."""
    text = Text(device.label, style="bold")
    text.append(f"  {device.name}" if device.name else "")
    known = len(device.characteristics)
    text.append(f"  {known} characteristics known" if known else "", "not bold")
    text.append("  its UUIDs are not in the log" if lacks_uuids else "", "not bold")
    for one in device.connections[:MAX_CONNECTIONS_SHOWN]:
        text.append(f"\n  {_connection_line(one, zone)}", "not bold dim")
    more = len(device.connections) - MAX_CONNECTIONS_SHOWN
    text.append(f"\n  and {more} more connections" if more > 0 else "", "not bold dim")
    return text


def streams_table(streams: Iterable[StreamSummary]) -> Table:
    """A line for each stream: those that the host sent first, by number of values."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("opcode", no_wrap=True)
    table.add_column("handle", no_wrap=True)
    table.add_column("UUID", overflow="fold", min_width=8)
    for column in ("count", "interval", "bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("last value", overflow="fold", min_width=8)
    for stream in sort_streams(streams):
        table.add_row(
            ARROWS[stream.direction],
            f"{stream.opcode:#04x} {OPCODE_LABELS.get(stream.opcode, '')}",
            f"{stream.handle:#06x}",
            _uuid_cell(stream),
            str(stream.count),
            format_duration(stream.median_interval_s),
            str(stream.longest) if stream.shortest == stream.longest else f"{stream.shortest}-{stream.longest}",
            _value_cell(stream.last),
        )
    return table


def notes(summary: LogSummary) -> list[str]:
    """Anything else the reader must know, a line each."""
    found = [f"The log is {summary.error}; everything before that was read."] if summary.error else []
    truncated = sum(stream.truncated for stream in summary.streams)
    if truncated:
        found.append(
            f"Values truncated in the log itself: {truncated}. They are counted, and --csv has what is left of them."
        )
        if 2 * truncated > sum(stream.count for stream in summary.streams):
            found.append(CUT_VALUES)
    if summary.lost:
        found.append(f"Frames that are incomplete, because the log lacks fragments of them: {summary.lost}.")
    if summary.uncounted_values:
        found.append(f"Values that are not analysed, because there are too many streams: {summary.uncounted_values}.")
    if not summary.streams:
        found.append(NO_VALUES)
    return found + [_hidden_uuids_note(device) for device in _without_uuids(summary)]


def as_json(summary: LogSummary) -> str:
    """The summary as one JSON document; values are lower-case hexadecimal digits, times seconds since the epoch."""
    document = msgspec.to_builtins(summary, builtin_types=(bytes,))
    for device in document["devices"]:
        for one in (*device["services"], *device["characteristics"]):
            one["uuid_name"] = assigned_name(one["uuid"])
        device["has_discovery"] = bool(device["characteristics"])
    for stream in document["streams"]:
        stream["opcode_name"] = OPCODE_LABELS.get(stream["opcode"], "")
        stream["uuid_name"] = assigned_name(stream["uuid"]) if stream["uuid"] else ""
        stream["first"], stream["last"] = stream["first"].hex(), stream["last"].hex()
    document["notes"] = notes(summary)
    return json.dumps(document, indent=2, ensure_ascii=False)


def write_csv(values: Iterable[LabelledValue], file: TextIO) -> None:
    """A line for each value, in the order of the log.

    A PDU with several values, each with its handle, gets a line for each. The handle of a response is that of its
    request, or 0x0000 where the log does not contain the request. Truncated values are given as far as the log goes.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            entry.frame,
            format_seconds(entry.time_ns),
            device,
            DIRECTION_LABELS[entry.direction],
            f"{entry.opcode:#04x}",
            f"{entry.handle:#06x}",
            uuid or "",
            entry.value.hex(),
        )
        for entry, device, uuid in values
    )


def format_seconds(time_ns: int) -> str:
    """Nanoseconds as seconds, with as many decimals as the log's resolution: six, or nine."""
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), NS_PER_S)
    return f"{sign}{whole}.{rest:09d}" if rest % 1000 else f"{sign}{whole}.{rest // 1000:06d}"


def sort_streams(streams: Iterable[StreamSummary]) -> list[StreamSummary]:
    """What the host sent first, then by number of values."""
    return sorted(streams, key=lambda stream: (stream.direction != "sent", -stream.count))


def _without_uuids(summary: LogSummary) -> list[DeviceSummary]:
    """Devices whose own handles carried values, but whose UUIDs are not in the log."""
    used = {stream.device for stream in summary.streams if not stream.is_host_attribute}
    return [device for device in summary.devices if device.label in used and not device.has_discovery]


def _hidden_uuids_note(device: DeviceSummary) -> str:
    who = device.name or device.label
    reason = "the phone checked that its cached copy is valid" if device.requested_hash else "the phone had them cached"
    address = "ADDRESS" if device.label.startswith("connection") else device.label
    return (
        f"{who}: the UUIDs of its handles are not in the log ({reason}, or the log began later). "
        f"`belvedere inspect {address}` reads them; or switch the phone's Bluetooth off and on, let it forget the "
        "device, and record another log."
    )


def _connection_line(one: ConnectionSummary, zone: tzinfo | None) -> str:
    opened = _format_time(one.opened_s, zone) or "before the log"
    closed = _format_time(one.closed_s, zone) or "the end of the log"
    link = "" if one.interval_ms is None else f", every {one.interval_ms:g} ms"
    return f"connection {one.handle:#06x} from {opened} to {closed}{link}" + (", encrypted" if one.is_encrypted else "")


def _format_time(time_s: float | None, zone: tzinfo | None) -> str:
    return "" if time_s is None else datetime.fromtimestamp(time_s, zone).strftime("%Y-%m-%d %H:%M:%S")


def format_duration(duration_s: float | None) -> str:
    """A duration in ms or s, or "" where there is none."""
    if duration_s is None:
        return ""
    if duration_s < 0.9995:  # noqa: PLR2004 - what would be rounded to a second
        return f"{duration_s * 1000:.3g} ms"
    if duration_s < 99.95:  # noqa: PLR2004 - likewise to 100 s
        return f"{duration_s:.3g} s"
    minutes = duration_s / 60
    return f"{minutes:.0f} min" if minutes < 99.5 else f"{minutes / 60:.0f} h"  # noqa: PLR2004 - what would be rounded to 100 min


def _uuid_cell(stream: StreamSummary) -> str:
    """The UUID, those that the handle had before its table changed, and whose table it is."""
    text = uuid_label(stream.uuid) if stream.uuid else ""
    earlier = [uuid_label(uuid) for uuid in stream.earlier_uuids[-MAX_UUIDS_SHOWN:]]
    text += f", earlier {', '.join(earlier)}" if earlier else ""
    return text + (" (the phone's)" if stream.is_host_attribute else "")


def _value_cell(value: bytes) -> str:
    return value[:MAX_BYTES_SHOWN].hex(" ") + (" ..." if len(value) > MAX_BYTES_SHOWN else "")
