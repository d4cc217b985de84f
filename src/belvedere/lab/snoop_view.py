"""Shows what a log tells: tables for people, one JSON document, or a line of CSV a value."""

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
MAX_CONNECTIONS_SHOWN = 5  # of a device
MAX_UUIDS_SHOWN = 3  # that a handle had earlier
MAX_BYTES_SHOWN = 20  # of an example; what drives a head is shorter
LOCAL_TIMES = "Times are local; --csv and --json have them as seconds since 1970, UTC."
UTC_TIMES = "Times are UTC."
NO_VALUES = (
    "No values were found. Only what apps read, write and are notified of as attributes is looked at (Low Energy, and "
    "classic Bluetooth's channel for it, PSM 31); sound, serial links and the like are not."
)
NS_PER_S = 1_000_000_000


def render(summary: LogSummary, *, is_local: bool = True) -> Group:
    """Each device with its streams, and notes; times are those of this computer's zone, or UTC."""
    zone = None if is_local else UTC
    parts: list[Text | Table] = [Text(LOCAL_TIMES if is_local else UTC_TIMES, style="dim")]
    for device in summary.devices:
        streams = [stream for stream in summary.streams if stream.device == device.label]
        lacks_uuids = any(not stream.is_host_attribute for stream in streams) and not device.has_discovery
        parts.append(device_header(device, zone, lacks_uuids=lacks_uuids))
        parts.append(streams_table(streams) if streams else Text("  no values were found\n", style="dim"))
    return Group(*parts, *(Text(note) for note in notes(summary)))


def device_header(device: DeviceSummary, zone: tzinfo | None, *, lacks_uuids: bool) -> Text:
    """Who it is, whether handles of its own are used whose UUIDs are hidden, and when it was connected."""
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
    """A line for each stream: what the host wrote first, the busiest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("opcode", no_wrap=True)
    table.add_column("handle", no_wrap=True)
    table.add_column("UUID", overflow="fold", min_width=8)
    for column in ("count", "every", "bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("the last", overflow="fold", min_width=8)
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
    """What else has to be known, a line each."""
    found = [f"The log is {summary.error}; what comes before it was read."] if summary.error else []
    truncated = sum(stream.truncated for stream in summary.streams)
    if truncated:
        found.append(
            f"Values cut short in the log itself: {truncated}. They are counted, and --csv has what is left of them."
        )
    if summary.lost:
        found.append(f"Frames that are incomplete, because parts of them are not in the log: {summary.lost}.")
    if summary.uncounted_values:
        found.append(f"Values that are not counted, because there are too many streams: {summary.uncounted_values}.")
    if not summary.streams:
        found.append(NO_VALUES)
    return found + [_hidden_uuids_note(device) for device in _without_uuids(summary)]


def as_json(summary: LogSummary) -> str:
    """Everything as one JSON document; values are lower-case hexadecimal digits, times seconds since the epoch."""
    document = msgspec.to_builtins(summary, builtin_types=(bytes,))
    for device in document["devices"]:
        for one in (*device["services"], *device["characteristics"]):
            one["known_as"] = assigned_name(one["uuid"])
        device["has_discovery"] = bool(device["characteristics"])
    for stream in document["streams"]:
        stream["what"] = OPCODE_LABELS.get(stream["opcode"], "")
        stream["known_as"] = assigned_name(stream["uuid"]) if stream["uuid"] else ""
        stream["first"], stream["last"] = stream["first"].hex(), stream["last"].hex()
    document["notes"] = notes(summary)
    return json.dumps(document, indent=2, ensure_ascii=False)


def write_csv(values: Iterable[LabelledValue], file: TextIO) -> None:
    """A line for each value, in the order of the log.

    A PDU that holds several values, each with its handle, has a line for each. The handle of an answer is that of its
    request, or 0x0000 where the log does not hold it. Values that are cut short in the log are given as far as they go.
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
    """Nanoseconds as seconds, with as many digits as the log has: six, or nine."""
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), NS_PER_S)
    return f"{sign}{whole}.{rest:09d}" if rest % 1000 else f"{sign}{whole}.{rest // 1000:06d}"


def sort_streams(streams: Iterable[StreamSummary]) -> list[StreamSummary]:
    """What the host sent first, then the busiest first."""
    return sorted(streams, key=lambda stream: (stream.direction != "sent", -stream.count))


def _without_uuids(summary: LogSummary) -> list[DeviceSummary]:
    """Devices with values over handles of theirs, none of whose UUIDs are in the log."""
    used = {stream.device for stream in summary.streams if not stream.is_host_attribute}
    return [device for device in summary.devices if device.label in used and not device.has_discovery]


def _hidden_uuids_note(device: DeviceSummary) -> str:
    who = device.name or device.label
    reason = (
        "the phone asked whether what it had kept still holds" if device.requested_hash else "the phone had kept it"
    )
    look = "ADDRESS" if device.label.startswith("connection") else device.label
    return (
        f"{who}: how its handles are called is not in the log ({reason}, or the log began later). "
        f"`belvedere inspect {look}` tells; or switch the phone's Bluetooth off and on, let it forget the device, "
        "and log again."
    )


def _connection_line(one: ConnectionSummary, zone: tzinfo | None) -> str:
    begun = _format_time(one.opened_s, zone) or "before the log"
    ended = _format_time(one.closed_s, zone) or "the end of the log"
    link = "" if one.interval_ms is None else f", every {one.interval_ms:g} ms"
    return f"connection {one.handle:#06x} from {begun} to {ended}{link}" + (", encrypted" if one.is_encrypted else "")


def _format_time(time_s: float | None, zone: tzinfo | None) -> str:
    return "" if time_s is None else datetime.fromtimestamp(time_s, zone).strftime("%Y-%m-%d %H:%M:%S")


def format_duration(span_s: float | None) -> str:
    """A time span in words, or "" where there is none."""
    if span_s is None:
        return ""
    return f"{span_s * 1000:.3g} ms" if span_s < 1 else f"{span_s:.3g} s"


def _uuid_cell(stream: StreamSummary) -> str:
    """The UUID; with it those that the handle had before, because the table changed, and whose table it is."""
    words = uuid_label(stream.uuid) if stream.uuid else ""
    earlier = [uuid_label(uuid) for uuid in stream.earlier_uuids[-MAX_UUIDS_SHOWN:]]
    words += f", earlier {', '.join(earlier)}" if earlier else ""
    return words + (" (the phone's)" if stream.is_host_attribute else "")


def _value_cell(value: bytes) -> str:
    return value[:MAX_BYTES_SHOWN].hex(" ") + (" ..." if len(value) > MAX_BYTES_SHOWN else "")
