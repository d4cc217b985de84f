"""Analyses a log: reads it once for the summary, and again for the values themselves, which do not fit into memory."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from belvedere.errors import OwnerError
from belvedere.lab.logs.extract import ValueExtractor
from belvedere.lab.logs.reader import LogReader
from belvedere.lab.logs.records import NotALogError
from belvedere.lab.logs.stream_stats import StreamCounter
from belvedere.lab.logs.summarize import summarize
from belvedere.lab.logs.values import DIRECTION_LABELS, is_host_attribute
from belvedere.lab.streams import Sample, ValueStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from belvedere.lab.logs.byte_view import Flags
    from belvedere.lab.logs.connections import Connections
    from belvedere.lab.logs.summary import DeviceSummary, LogSummary
    from belvedere.lab.logs.values import Values

NS = 1e9
MAX_SAMPLES = 200_000
"""Values kept for inference: more than five hours of a held stick, and about 60 MB."""

MAX_SUGGESTIONS = 12  # devices or handles listed in an error


class Selection(NamedTuple):
    """Which values: those of these devices (labels as in the summary) and handles; an empty set selects all."""

    labels: frozenset[str] = frozenset()
    handles: frozenset[int] = frozenset()


class ValueBatch(NamedTuple):
    """The values of one chunk of the log, and the connections up to it."""

    values: Values
    connections: Connections


class LogAnalysis:
    """A log that was read once.

    Attributes:
        summary: of the whole log.
    """

    def __init__(self, path: Path, on_progress: Callable[[int], None] = lambda _bytes: None, *, name: str = "") -> None:
        """Read the log; `on_progress` receives the number of bytes read so far.

        `name` is used in messages in place of the path. Raises OwnerError.
        """
        self._path, self._name = path, name or str(path)
        extractor, counter = ValueExtractor(), StreamCounter()
        with _opened(path, self._name) as log:
            for packets in log.packets():
                counter.receive(extractor.receive(packets), extractor.connections)
                on_progress(log.position)
        self.summary: LogSummary = summarize(self._name, log, extractor, counter)
        if not extractor.packets:
            why_not = log.foreign_content or "contains no Bluetooth HCI packets"
            raise OwnerError(f"{self._name}: {why_not}" + (f" ({log.error})" if log.error else ""))
        self._host_tables = extractor.connections.host_tables
        self._device_tables = {device.label: device.table for device in extractor.connections.devices}

    def select(self, devices: Iterable[str], handles: Sequence[int]) -> Selection:
        """A selection by devices and handles. Raises OwnerError for unknown ones.

        A device is known by its address or its name, or where none has that, by a part of them, in any case.
        """
        labels: set[str] = set()
        for word in devices:
            known = {one.label: _names_of(one) for one in self.summary.devices}
            wanted = " ".join(word.casefold().split())
            same = {label for label, names in known.items() if wanted in names}
            same = same or {label for label, names in known.items() if wanted and any(wanted in one for one in names)}
            if not same:
                listed = _available(_described(one) for one in self.summary.devices)
                raise OwnerError(f"{self._name}: no device {word}; {listed}")
            labels |= same
        there = sorted({one.handle for one in self.summary.streams if one.device in (labels or {one.device})})
        for handle in handles:
            if handle not in there:
                listed = _available(f"0x{one:04x}" for one in there)
                raise OwnerError(f"{self._name}: no values over handle 0x{handle:04x}; {listed}")
        return Selection(frozenset(labels), frozenset(handles))

    def summary_of(self, selection: Selection) -> LogSummary:
        """The summary, reduced to a selection."""
        return msgspec.structs.replace(
            self.summary,
            devices=tuple(one for one in self.summary.devices if one.label in (selection.labels or {one.label})),
            streams=tuple(
                one
                for one in self.summary.streams
                if one.device in (selection.labels or {one.device})
                and one.handle in (selection.handles or {one.handle})
            ),
        )

    def uuid_of(self, label: str, adapter: int, logged: LoggedValue) -> str | None:
        """The UUID of a value's handle when the value was sent, or the first one known later."""
        table = (
            self._host_tables.get(adapter)
            if is_host_attribute(logged.direction, logged.opcode)
            else self._device_tables.get(label)
        )
        return table.uuid_of(logged.handle, logged.frame) if table else None

    def batches(
        self, selection: Selection, on_progress: Callable[[int], None] = lambda _bytes: None
    ) -> Iterator[ValueBatch]:
        """Read the values again, up to the summary's last record: the log may be growing. Raises OwnerError."""
        extractor = ValueExtractor()
        with _opened(self._path, self._name) as log:
            for packets in log.packets():
                values = extractor.receive(packets)
                is_selected = _is_selected(values, extractor.connections, selection)
                yield ValueBatch(
                    values.filtered(is_selected & (values.frame <= self.summary.records)), extractor.connections
                )
                on_progress(log.position)

    def labelled_values(
        self, selection: Selection, on_progress: Callable[[int], None] = lambda _bytes: None
    ) -> Iterator[LabelledValue]:
        """Each value in the order of the log, with its device and UUID as known from the whole log."""
        for values, connections in self.batches(selection, on_progress):
            for logged in logged_values(values):
                connection = connections.all[logged.connection]
                label = connections.devices[connection.device].label
                yield LabelledValue(logged, label, self.uuid_of(label, connection.adapter, logged))

    def streams(self, selection: Selection | None = None, *, limit: int = MAX_SAMPLES) -> list[ValueStream]:
        """The values by stream, for inference: only complete ones, and at most `limit`."""
        samples: dict[tuple[str, str, int, int, str | None], list[Sample]] = {}
        whole = (
            labelled_values
            for labelled_values in self.labelled_values(selection or Selection())
            if not labelled_values.logged.is_truncated
        )
        for logged, device, uuid in islice(whole, limit):
            key = device, DIRECTION_LABELS[logged.direction], logged.opcode, logged.handle, uuid
            samples.setdefault(key, []).append(Sample(logged.frame, logged.time_ns / NS, logged.value))
        return [ValueStream(*key, tuple(kept)) for key, kept in samples.items()]


class LoggedValue(NamedTuple):
    """One value as a row."""

    frame: int
    time_ns: int
    connection: int
    direction: int
    opcode: int
    handle: int
    is_truncated: bool
    value: bytes


class LabelledValue(NamedTuple):
    """A value with its device's label and its UUID."""

    logged: LoggedValue
    device: str
    uuid: str | None


def logged_values(values: Values) -> Iterator[LoggedValue]:
    """The values as rows, in the order of the log."""
    columns = (values.frame, values.time_ns, values.connection, values.direction, values.opcode, values.handle)
    rows = zip(*(column.tolist() for column in columns), values.is_truncated.tolist(), strict=True)
    places = zip(values.offset.tolist(), values.length.tolist(), strict=True)
    for row, place in zip(rows, places, strict=True):
        yield LoggedValue._make((*row, values.value(*place)))


def _names_of(device: DeviceSummary) -> set[str]:
    return {" ".join(word.casefold().split()) for word in (device.label, device.name) if word}


def _described(device: DeviceSummary) -> str:
    return f"{device.label} ({device.name})" if device.name else device.label


def _available(choices: Iterable[str]) -> str:
    """The available choices, for an error message."""
    listed = list(choices)
    more = f" and {len(listed) - MAX_SUGGESTIONS} more" if len(listed) > MAX_SUGGESTIONS else ""
    return f"available: {', '.join(listed[:MAX_SUGGESTIONS]) or 'none'}{more}"


def _is_selected(values: Values, connections: Connections, selection: Selection) -> Flags:
    """Which values are selected."""
    is_selected = np.ones(len(values.frame), np.bool_)
    if selection.labels:
        labels = [connections.devices[one.device].label for one in connections.all]
        of_connection = np.array([label in selection.labels for label in labels], np.bool_)
        is_selected &= of_connection[values.connection]
    if selection.handles:
        is_selected &= np.isin(values.handle, list(selection.handles))
    return is_selected


@contextmanager
def _opened(path: Path, name: str) -> Iterator[LogReader]:
    """The log in this file; read errors inside the context become OwnerError too, in one line."""
    try:
        with path.open("rb") as file:
            yield LogReader(file)
    except OSError as error:
        raise OwnerError(f"{name}: {error.strerror or error}") from error
    except NotALogError as error:
        raise OwnerError(f"{name}: {error}") from error
