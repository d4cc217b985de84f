from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.logs.analysis import LogAnalysis, Selection
from belvedere.lab.snoop_view import (
    COLUMNS,
    as_json,
    format_duration,
    format_seconds,
    notes,
    render,
    sort_streams,
    write_csv,
)

if TYPE_CHECKING:
    from pathlib import Path

PAN = "C0:DE:00:00:5A:1E"
S = 1_000_000
DISCOVERY = ((SENT, b"\x08\x15\0\x19\0\x03\x28"), (RECEIVED, b"\x09\x07\x16\0\x0c\x17\0\xf1\xff"))
DISCOVERED = [Packet(S, way, ACL, hci_log.att(0x40, pdu)) for way, pdu in DISCOVERY]
CONNECTED = [
    Packet(0, RECEIVED, EVENT, hci_log.advertised(PAN, hci_log.named("PONS[bold]"))),
    Packet(S, RECEIVED, EVENT, hci_log.connected(0x40, PAN)),
]
WRITES = [Packet(2 * S + at * 50_000, SENT, ACL, hci_log.att(0x40, bytes([0x52, 0x17, 0, 2, at]))) for at in range(5)]
NOTIFIED = [Packet(3 * S, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0\x82"))]
EVERYTHING = [*CONNECTED, *DISCOVERED, *WRITES, *NOTIFIED]


def surveyed(folder: Path, packets: list[Packet], rest: bytes = b"") -> LogAnalysis:
    path = folder / "phone.log"
    path.write_bytes(hci_log.btsnoop(packets) + rest)
    return LogAnalysis(path)


def text_of(analysis: LogAnalysis) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(render(analysis.summary, is_local=False))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_people_see_devices_connections_and_streams(tmp_path: Path) -> None:
    lines = text_of(surveyed(tmp_path, EVERYTHING)).splitlines()
    assert lines[0] == "Times are UTC."
    assert lines[1] == f"{PAN}  PONS[bold]  1 characteristics known"
    assert lines[2] == "  connection 0x0040 from 1970-01-01 00:00:01 to the end of the log, every 30 ms"
    write, notification = (next(line.split() for line in lines if f" {word} " in line) for word in ("0x52", "0x1b"))
    assert write == ["->", "0x52", "write", "command", "0x0017", "fff1", "5", "50", "ms", "2", "02", "04"]
    assert notification == ["<-", "0x1b", "notify", "0x0019", "1", "1", "82"]


def test_a_handle_that_was_another_before_says_so(tmp_path: Path) -> None:
    other = DISCOVERY[0], (RECEIVED, DISCOVERY[1][1][:-2] + b"\xa1\xaa")
    changed = [Packet(S, way, ACL, hci_log.att(0x40, pdu)) for way, pdu in other]
    assert "aaa1, earlier fff1" in text_of(surveyed(tmp_path, [*EVERYTHING, *changed, *WRITES]))


def test_whose_times_are_shown_is_reported(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(render(surveyed(tmp_path, EVERYTHING).summary))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("Times are local; --csv and --json give them as seconds since 1970, UTC.")


def test_a_device_without_values_says_so_and_nothing_of_uuids(tmp_path: Path) -> None:
    first = Packet(S, SENT, ACL, hci_log.att(0x41, b"\x52\x17\0\1"))
    text = text_of(surveyed(tmp_path, [*CONNECTED, first]))
    assert f"{PAN}  PONS[bold]\n" in text
    assert "no values were found" in text
    assert "connection 0x0041  its UUIDs are not in the log" in text


def test_a_log_without_values_says_what_is_checked(tmp_path: Path) -> None:
    (note,) = notes(surveyed(tmp_path, CONNECTED).summary)
    assert note.startswith("No values were found. Only GATT attributes")


def test_uuids_of_the_phones_own_table_hide_no_uuids_of_the_device(tmp_path: Path) -> None:
    asked, answered = ((1 - way, pdu) for way, pdu in DISCOVERY)
    own = [Packet(S, way, ACL, hci_log.att(0x40, pdu)) for way, pdu in (asked, answered, (RECEIVED, b"\x12\x17\0\1"))]
    text = text_of(surveyed(tmp_path, [*CONNECTED, *own]))
    assert "fff1 (the phone's)" in text
    assert "not in the log" not in text


def test_many_connections_are_counted_only(tmp_path: Path) -> None:
    both = [CONNECTED[1], Packet(2 * S, RECEIVED, EVENT, hci_log.disconnected(0x40))]
    assert "and 3 more connections" in text_of(surveyed(tmp_path, both * 8))


def test_a_hidden_discovery_is_reported_with_what_to_do(tmp_path: Path) -> None:
    (note,) = notes(surveyed(tmp_path, [*CONNECTED, *WRITES]).summary)
    assert note.startswith("PONS[bold]: the UUIDs of its handles are not in the log (the phone had them cached")
    assert f"belvedere inspect {PAN}" in note
    asked = Packet(S, SENT, ACL, hci_log.att(0x40, b"\x08\1\0\xff\xff\x2a\x2b"))
    (note,) = notes(surveyed(tmp_path, [*CONNECTED, asked, *WRITES]).summary)
    assert "the phone checked that its cached copy is valid" in note


def test_a_discovery_in_the_log_needs_no_word(tmp_path: Path) -> None:
    assert notes(surveyed(tmp_path, EVERYTHING).summary) == []


def test_what_is_not_whole_is_reported(tmp_path: Path) -> None:
    fragment = hci_log.fragments(0x40, hci_log.l2cap(b"\x52\x17\0abc"), 5)[0]
    spoiled = [WRITES[0]._replace(kept=12), *[WRITES[0]._replace(data=fragment)] * 2]
    first, truncated, lost = notes(surveyed(tmp_path, [*EVERYTHING, *spoiled], b"\0").summary)
    assert first.startswith(f"The log is cut short in record {len(EVERYTHING) + 4}")
    assert "in the log itself: 1." in truncated
    assert "lacks fragments of them: 1." in lost


def test_programs_get_one_document(tmp_path: Path) -> None:
    document = json.loads(as_json(surveyed(tmp_path, EVERYTHING).summary))
    (device,) = document["devices"]
    assert (device["label"], device["name"], device["has_discovery"]) == (PAN, "PONS[bold]", True)
    assert device["characteristics"][0]["handle"] == 0x17
    assert [(one["opcode"], one["opcode_name"], one["count"]) for one in document["streams"]] == [
        (0x52, "write command", 5),
        (0x1B, "notify", 1),
    ]
    assert (document["streams"][0]["first"], document["streams"][0]["last"]) == ("0200", "0204")
    assert document["notes"] == []


def test_csv_has_a_line_for_each_value(tmp_path: Path) -> None:
    file = io.StringIO()
    write_csv(surveyed(tmp_path, EVERYTHING).labelled_values(Selection()), file)
    head, first, *_others, last = csv.reader(io.StringIO(file.getvalue()))
    fff1 = "0000fff1-0000-1000-8000-00805f9b34fb"
    assert head == list(COLUMNS) == ["frame", "time", "device", "direction", "opcode", "handle", "uuid", "value"]
    assert first == ["5", "2.000000", PAN, "sent", "0x52", "0x0017", fff1, "0200"]
    assert last == ["10", "3.000000", PAN, "received", "0x1b", "0x0019", "", "82"]


def test_what_the_host_sent_comes_first_and_of_that_the_busiest(tmp_path: Path) -> None:
    other = Packet(4 * S, SENT, ACL, hci_log.att(0x40, b"\x12\x1a\0\1\0"))
    summary = surveyed(tmp_path, [*NOTIFIED * 9, other, *WRITES]).summary
    assert [one.opcode for one in sort_streams(summary.streams)] == [0x52, 0x12, 0x1B]


def test_what_goes_to_the_phones_own_table_is_marked(tmp_path: Path) -> None:
    assert "(the phone's)" in text_of(surveyed(tmp_path, [WRITES[0]._replace(direction=RECEIVED)]))


@pytest.mark.parametrize(
    ("time_ns", "words"),
    [
        (1_700_000_000_123_456_000, "1700000000.123456"),
        (5, "0.000000005"),
        (0, "0.000000"),
        (-500_000_000, "-0.500000"),
    ],
)
def test_times_have_the_digits_of_the_log(time_ns: int, words: str) -> None:
    assert format_seconds(time_ns) == words


@pytest.mark.parametrize(
    ("span_s", "words"),
    [
        (None, ""),
        (0.0504, "50.4 ms"),
        (0.9996, "1 s"),
        (2.5, "2.5 s"),
        (99.94, "99.9 s"),
        (100.0, "2 min"),
        (1700.0, "28 min"),
        (1e5, "28 h"),
    ],
)
def test_durations_are_short(span_s: float | None, words: str) -> None:
    assert format_duration(span_s) == words
