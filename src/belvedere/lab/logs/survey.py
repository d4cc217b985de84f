"""Reads a log from its beginning to its end: once to tell what is in it, and again for the values themselves."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from belvedere.errors import OwnerError
from belvedere.lab.logs.follow import Follower
from belvedere.lab.logs.opening import Log
from belvedere.lab.logs.records import NotALogError
from belvedere.lab.logs.tally import Tally
from belvedere.lab.logs.telling import findings_of
from belvedere.lab.logs.values import DIRECTION_WORDS, is_ours
from belvedere.lab.streams import Sample, ValueStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from belvedere.lab.logs.connections import Connections
    from belvedere.lab.logs.findings import DeviceFound, Findings
    from belvedere.lab.logs.values import Values
    from belvedere.lab.logs.view import Flags

NS = 1e9
MOST_SAMPLES = 200_000
"""Kept as values for inference: more than five hours of a stick that is held, and about 60 MB."""

MOST_SUGGESTED = 12  # devices or handles named in an error


class Wanted(NamedTuple):
    """Which values: of these devices (labels as in the findings), of these handles; all where none is named."""

    labels: frozenset[str] = frozenset()
    handles: frozenset[int] = frozenset()


class Moment(NamedTuple):
    """Values of one piece of the log, and who had which connection by then."""

    values: Values
    connections: Connections


class Survey:
    """A log that was read once.

    Attributes:
        findings: what it tells.
    """

    def __init__(self, path: Path, on_progress: Callable[[int], None] = lambda _bytes: None, *, name: str = "") -> None:
        """Read it; `on_progress` is told how many bytes were read so far.

        `name` is what its owner calls it, if that is not the path. Raises OwnerError.
        """
        self._path, self._name = path, name or str(path)
        follower, tally = Follower(), Tally()
        with _opened(path, self._name) as log:
            for packets in log.packets():
                tally.receive(follower.receive(packets), follower.connections)
                on_progress(log.position)
        self.findings: Findings = findings_of(self._name, log, follower, tally)
        if not follower.packets:
            why_not = log.foreign or "holds no packets of Bluetooth"
            raise OwnerError(f"{self._name}: {why_not}" + (f" ({log.trouble})" if log.trouble else ""))
        self._ours = follower.connections.ours
        self._theirs = {device.label: device.table for device in follower.connections.devices}

    def wanted(self, devices: Iterable[str], handles: Sequence[int]) -> Wanted:
        """What a person asks for: devices by address or name, however written. Raises OwnerError."""
        labels: set[str] = set()
        for word in devices:
            same = {one.label for one in self.findings.devices if word.casefold() in _words_for(one)}
            if not same:
                raise OwnerError(
                    f"{self._name}: no device {word}; {_there(one.label for one in self.findings.devices)}"
                )
            labels |= same
        known = sorted({one.handle for one in self.findings.streams if one.device in (labels or {one.device})})
        for handle in handles:
            if handle not in known:
                there = _there(f"0x{one:04x}" for one in known)
                raise OwnerError(f"{self._name}: no values over handle 0x{handle:04x}; {there}")
        return Wanted(frozenset(labels), frozenset(handles))

    def findings_of(self, wanted: Wanted) -> Findings:
        """Only what is wanted of the findings."""
        return msgspec.structs.replace(
            self.findings,
            devices=tuple(one for one in self.findings.devices if one.label in (wanted.labels or {one.label})),
            streams=tuple(
                one
                for one in self.findings.streams
                if one.device in (wanted.labels or {one.device}) and one.handle in (wanted.handles or {one.handle})
            ),
        )

    def uuid_of(self, label: str, adapter: int, entry: Entry) -> str | None:
        """The UUID that the handle of a value of this device and adapter had when the value went, or later on."""
        table = self._ours.get(adapter) if is_ours(entry.direction, entry.opcode) else self._theirs.get(label)
        return table.uuid_of(entry.handle, entry.frame) if table else None

    def again(self, wanted: Wanted, on_progress: Callable[[int], None] = lambda _bytes: None) -> Iterator[Moment]:
        """The values, from the log's beginning as far as it was read then. Raises OwnerError."""
        follower = Follower()
        with _opened(self._path, self._name) as log:
            for packets in log.packets():
                values = follower.receive(packets)
                is_wanted = _are_wanted(values, follower.connections, wanted)
                yield Moment(values.where(is_wanted & (values.frame <= self.findings.records)), follower.connections)
                on_progress(log.position)

    def told(self, wanted: Wanted, on_progress: Callable[[int], None] = lambda _bytes: None) -> Iterator[Told]:
        """Each value by itself, in the order of the log, with all that the whole log tells of it."""
        for values, connections in self.again(wanted, on_progress):
            for entry in entries(values):
                connection = connections.all[entry.connection]
                label = connections.devices[connection.device].label
                yield Told(entry, label, self.uuid_of(label, connection.adapter, entry))

    def streams(self, wanted: Wanted | None = None, *, limit: int = MOST_SAMPLES) -> list[ValueStream]:
        """The values for whoever wants to understand them: whole ones only, and none after `limit`."""
        samples: dict[tuple[str, str, int, int, str | None], list[Sample]] = {}
        whole = (told for told in self.told(wanted or Wanted()) if not told.entry.is_cut)
        for entry, device, uuid in islice(whole, limit):
            key = device, DIRECTION_WORDS[entry.direction], entry.opcode, entry.handle, uuid
            samples.setdefault(key, []).append(Sample(entry.frame, entry.time_ns / NS, entry.value))
        return [ValueStream(*key, tuple(kept)) for key, kept in samples.items()]


class Entry(NamedTuple):
    """One value, for those who take them one by one."""

    frame: int
    time_ns: int
    connection: int
    direction: int
    opcode: int
    handle: int
    is_cut: bool
    value: bytes


class Told(NamedTuple):
    """A value with its device's label and its UUID."""

    entry: Entry
    device: str
    uuid: str | None


def entries(values: Values) -> Iterator[Entry]:
    """Each value by itself, in the order of the log."""
    columns = (values.frame, values.time_ns, values.connection, values.direction, values.opcode, values.handle)
    rows = zip(*(column.tolist() for column in columns), values.is_cut.tolist(), strict=True)
    places = zip(values.at.tolist(), values.length.tolist(), strict=True)
    for row, place in zip(rows, places, strict=True):
        yield Entry._make((*row, values.value(*place)))


def _words_for(device: DeviceFound) -> set[str]:
    return {word.casefold() for word in (device.label, device.name) if word}


def _there(words: Iterable[str]) -> str:
    """What could have been asked for."""
    those = list(words)
    more = f" and {len(those) - MOST_SUGGESTED} more" if len(those) > MOST_SUGGESTED else ""
    return f"there are: {', '.join(those[:MOST_SUGGESTED]) or 'none'}{more}"


def _are_wanted(values: Values, connections: Connections, wanted: Wanted) -> Flags:
    """Which of them are."""
    are_wanted = np.ones(len(values.frame), np.bool_)
    if wanted.labels:
        labels = [connections.devices[one.device].label for one in connections.all]
        of_connection = np.array([label in wanted.labels for label in labels], np.bool_)
        are_wanted &= of_connection[values.connection]
    if wanted.handles:
        are_wanted &= np.isin(values.handle, list(wanted.handles))
    return are_wanted


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Log]:
    """The log in this file. Raises OwnerError of one line, also from inside."""
    try:
        with path.open("rb") as file:
            yield Log(file)
    except OSError as error:
        raise OwnerError(f"{name}: {error.strerror or error}") from error
    except NotALogError as error:
        raise OwnerError(f"{name}: {error}") from error
