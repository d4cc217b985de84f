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

from belvedere.lab.logs.values import DIRECTION_WORDS, OPCODE_WORDS
from belvedere.lab.words import known_name, named_uuid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from belvedere.lab.logs.findings import ConnectionFound, DeviceFound, Findings, StreamFound
    from belvedere.lab.logs.survey import Told

COLUMNS = ("frame", "time", "device", "direction", "opcode", "handle", "uuid", "value")
ARROWS = {"sent": "->", "received": "<-", "unknown": "--"}
SHOWN_CONNECTIONS = 5  # of a device
SHOWN_UUIDS = 3  # that a handle had earlier
SHOWN_BYTES = 20  # of an example; what drives a head is shorter
LOCAL_TIMES = "Times are local; --csv and --json have them as seconds since 1970, UTC."
UTC_TIMES = "Times are UTC."
NO_VALUES = (
    "No values were found. Only what apps read, write and are notified of as attributes is looked at (Low Energy, and "
    "classic Bluetooth's channel for it, PSM 31); sound, serial links and the like are not."
)
NS_A_S = 1_000_000_000


def shown(findings: Findings, *, is_local: bool = True) -> Group:
    """Each device with its streams, and notes; times are those of this computer's zone, or UTC."""
    zone = None if is_local else UTC
    parts: list[Text | Table] = [Text(LOCAL_TIMES if is_local else UTC_TIMES, style="dim")]
    for device in findings.devices:
        streams = [stream for stream in findings.streams if stream.device == device.label]
        is_hidden = any(not stream.is_ours for stream in streams) and not device.has_discovery
        parts.append(device_words(device, zone, is_hidden=is_hidden))
        parts.append(streams_table(streams) if streams else Text("  no values were found\n", style="dim"))
    return Group(*parts, *(Text(note) for note in notes(findings)))


def device_words(device: DeviceFound, zone: tzinfo | None, *, is_hidden: bool) -> Text:
    """Who it is, whether handles of its own are used whose UUIDs are hidden, and when it was connected."""
    text = Text(device.label, style="bold")
    text.append(f"  {device.name}" if device.name else "")
    known = len(device.characteristics)
    text.append(f"  {known} characteristics known" if known else "", "not bold")
    text.append("  its UUIDs are not in the log" if is_hidden else "", "not bold")
    for one in device.connections[:SHOWN_CONNECTIONS]:
        text.append(f"\n  {_connection_words(one, zone)}", "not bold dim")
    more = len(device.connections) - SHOWN_CONNECTIONS
    text.append(f"\n  and {more} more connections" if more > 0 else "", "not bold dim")
    return text


def streams_table(streams: Iterable[StreamFound]) -> Table:
    """A line for each stream: what the host wrote first, the busiest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("opcode", no_wrap=True)
    table.add_column("handle", no_wrap=True)
    table.add_column("UUID", overflow="fold", min_width=8)
    for column in ("count", "every", "bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("the last", overflow="fold", min_width=8)
    for stream in ordered(streams):
        table.add_row(
            ARROWS[stream.direction],
            f"{stream.opcode:#04x} {OPCODE_WORDS.get(stream.opcode, '')}",
            f"{stream.handle:#06x}",
            _uuid_words(stream),
            str(stream.count),
            span_words(stream.cadence_s),
            str(stream.longest) if stream.shortest == stream.longest else f"{stream.shortest}-{stream.longest}",
            _value_words(stream.last),
        )
    return table


def notes(findings: Findings) -> list[str]:
    """What else has to be known, a line each."""
    found = [f"The log is {findings.trouble}; what comes before it was read."] if findings.trouble else []
    cut = sum(stream.cut for stream in findings.streams)
    if cut:
        found.append(
            f"Values cut short in the log itself: {cut}. They are counted, and --csv has what is left of them."
        )
    if findings.lost:
        found.append(f"Frames that are incomplete, because parts of them are not in the log: {findings.lost}.")
    if findings.streams_left_out:
        found.append(f"Values that are not counted, because there are too many streams: {findings.streams_left_out}.")
    if not findings.streams:
        found.append(NO_VALUES)
    return found + [_hidden_words(device) for device in _hidden(findings)]


def as_json(findings: Findings) -> str:
    """Everything as one JSON document; values are lower-case hexadecimal digits, times seconds since the epoch."""
    document = msgspec.to_builtins(findings, builtin_types=(bytes,))
    for device in document["devices"]:
        for one in (*device["services"], *device["characteristics"]):
            one["known_as"] = known_name(one["uuid"])
        device["has_discovery"] = bool(device["characteristics"])
    for stream in document["streams"]:
        stream["what"] = OPCODE_WORDS.get(stream["opcode"], "")
        stream["known_as"] = known_name(stream["uuid"]) if stream["uuid"] else ""
        stream["first"], stream["last"] = stream["first"].hex(), stream["last"].hex()
    document["notes"] = notes(findings)
    return json.dumps(document, indent=2, ensure_ascii=False)


def write_csv(values: Iterable[Told], file: TextIO) -> None:
    """A line for each value, in the order of the log.

    A PDU that holds several values, each with its handle, has a line for each. The handle of an answer is that of its
    request, or 0x0000 where the log does not hold it. Values that are cut short in the log are given as far as they go.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            entry.frame,
            seconds(entry.time_ns),
            device,
            DIRECTION_WORDS[entry.direction],
            f"{entry.opcode:#04x}",
            f"{entry.handle:#06x}",
            uuid or "",
            entry.value.hex(),
        )
        for entry, device, uuid in values
    )


def seconds(time_ns: int) -> str:
    """Nanoseconds as seconds, with as many digits as the log has: six, or nine."""
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), NS_A_S)
    return f"{sign}{whole}.{rest:09d}" if rest % 1000 else f"{sign}{whole}.{rest // 1000:06d}"


def ordered(streams: Iterable[StreamFound]) -> list[StreamFound]:
    """What the host sent first, then the busiest first."""
    return sorted(streams, key=lambda stream: (stream.direction != "sent", -stream.count))


def _hidden(findings: Findings) -> list[DeviceFound]:
    """Devices with values over handles of theirs, none of whose UUIDs are in the log."""
    used = {stream.device for stream in findings.streams if not stream.is_ours}
    return [device for device in findings.devices if device.label in used and not device.has_discovery]


def _hidden_words(device: DeviceFound) -> str:
    who = device.name or device.label
    reason = "the phone asked whether what it had kept still holds" if device.asked_hash else "the phone had kept it"
    look = "ADDRESS" if device.label.startswith("connection") else device.label
    return (
        f"{who}: how its handles are called is not in the log ({reason}, or the log began later). "
        f"`belvedere inspect {look}` tells; or switch the phone's Bluetooth off and on, let it forget the device, "
        "and log again."
    )


def _connection_words(one: ConnectionFound, zone: tzinfo | None) -> str:
    begun = _time_words(one.opened_s, zone) or "before the log"
    ended = _time_words(one.closed_s, zone) or "the end of the log"
    link = "" if one.interval_ms is None else f", every {one.interval_ms:g} ms"
    return f"connection {one.handle:#06x} from {begun} to {ended}{link}" + (", encrypted" if one.is_encrypted else "")


def _time_words(time_s: float | None, zone: tzinfo | None) -> str:
    return "" if time_s is None else datetime.fromtimestamp(time_s, zone).strftime("%Y-%m-%d %H:%M:%S")


def span_words(span_s: float | None) -> str:
    """A time span in words, or "" where there is none."""
    if span_s is None:
        return ""
    return f"{span_s * 1000:.3g} ms" if span_s < 1 else f"{span_s:.3g} s"


def _uuid_words(stream: StreamFound) -> str:
    """The UUID; with it those that the handle had before, because the table changed, and whose table it is."""
    words = named_uuid(stream.uuid) if stream.uuid else ""
    earlier = [named_uuid(uuid) for uuid in stream.earlier_uuids[-SHOWN_UUIDS:]]
    words += f", earlier {', '.join(earlier)}" if earlier else ""
    return words + (" (the phone's)" if stream.is_ours else "")


def _value_words(value: bytes) -> str:
    return value[:SHOWN_BYTES].hex(" ") + (" ..." if len(value) > SHOWN_BYTES else "")
