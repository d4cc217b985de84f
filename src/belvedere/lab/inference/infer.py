"""Infers what the digits of the values written to a handle mean, with confidence and evidence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.inference.checksums import find_checksum
from belvedere.lab.inference.commands import CommandSet, Traffic, usual_digits
from belvedere.lab.inference.fields import find_fields, size_of
from belvedere.lab.inference.results import FieldKind, Inference
from belvedere.lab.inference.split_messages import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from belvedere.lab.inference.results import FrameField, StopFrame
    from belvedere.lab.inference.stops import StopCandidate
    from belvedere.lab.streams import ValueStream

WRITES = frozenset({0x12, 0x52, 0xD2})
MIN_COMMANDS = 8  # with fewer, almost any layout fits
MIN_DISTINCT = 3
RESTING_BYTES = {0, 0x7F, 0x80}  # of numbers whose encoding is unknown: 0, or the middle of their range
NO_STOP = (
    "no stop found: no frame follows releases and is absent while the control is held. In the app, drive at several"
    " speeds both ways, release the control for two seconds after each of ten moves, and record another log"
)
SPLIT = "each command is sent in two writes, which are read as one here"
SEVERAL_STOPS = "no stop found: {} follow releases alike. Ten more moves, of different lengths, may tell them apart"


class _Reading(NamedTuple):
    """How the commands are read, if this is the stop."""

    commands: CommandSet
    fields: list[FrameField]
    stop: StopFrame | None
    companions: frozenset[str]


def infer(streams: Iterable[ValueStream]) -> list[Inference]:
    """What each handle's writes mean, the busiest first; devices with the same frames are analysed together."""
    written = [stream for stream in streams if stream.opcode in WRITES and stream.direction != "received"]
    groups: dict[tuple[int, str | None, int, int], list[ValueStream]] = {}
    for stream in written:
        length = Counter(len(sample.value) for sample in stream.samples).most_common(1)[0][0] if stream.samples else 0
        groups.setdefault((stream.opcode, stream.uuid, stream.handle, length), []).append(stream)
    found = [_infer_group(group) for group in groups.values()]
    return sorted((one for one in found if one is not None), key=lambda one: -one.count)


def _infer_group(streams: Sequence[ValueStream]) -> Inference | None:
    whole = [joined(stream) for stream in streams]
    is_split = all(whole)
    traffic = Traffic([one for one in whole if one] if is_split else streams)
    reading, notes = _likeliest(traffic)
    values = Counter(reading.commands.values)
    if values.total() < MIN_COMMANDS or len(values) < MIN_DISTINCT:
        return None
    if not any(one.kind in {FieldKind.SPEED, FieldKind.NUMBERS} for one in reading.fields):
        notes.append("no digits look like a speed")
    notes += [SPLIT] * is_split
    first = streams[0]
    return Inference(
        device=", ".join(dict.fromkeys(stream.device for stream in streams)),
        direction=first.direction,
        opcode=first.opcode,
        handle=first.handle,
        uuid=first.uuid,
        count=values.total(),
        distinct=len(values),
        length=traffic.length,
        fields=tuple(reading.fields),
        stop=reading.stop,
        stop_value=reading.commands.stop_value,
        commands=tuple(values.most_common()),
        other_traffic=reading.commands.other_traffic,
        is_split=is_split,
        notes=tuple(notes),
    )


def _likeliest(traffic: Traffic) -> tuple[_Reading, list[str]]:
    """The reading with the likeliest stop, or the one without a stop; and what the reader must know about that."""
    readings = [reading for candidate in traffic.stops if _is_rest(reading := _read(traffic, candidate))]
    if not readings:
        return _read(traffic, None), [NO_STOP]
    followers = {digits for one in readings for digits in one.companions}
    readings = [one for one in readings if one.stop and one.stop.digits not in followers] or readings
    likeness = [_likeness(reading) for reading in readings]
    if likeness.count(max(likeness)) > 1:
        frames = " and ".join(reading.stop.digits for reading in readings if reading.stop)
        return _read(traffic, None), [SEVERAL_STOPS.format(frames)]
    return readings[likeness.index(max(likeness))], []


def _read(traffic: Traffic, candidate: StopCandidate | None) -> _Reading:
    """The commands with this stop; a stop of another form than the motions is read apart from them."""
    reading = _read_commands(traffic.commands(candidate), traffic, candidate)
    if candidate is None or _is_complete(reading):
        return reading
    apart = _read_commands(traffic.commands(candidate, is_stop_apart=True), traffic, candidate)
    return apart if _is_complete(apart) else reading


def _is_complete(reading: _Reading) -> bool:
    """Whether the commands have one direction and one speed."""
    kinds = [one.kind for one in reading.fields]
    signed = any(one.number.has_sign for one in reading.fields if one.number is not None)
    return kinds.count(FieldKind.SPEED) == 1 and kinds.count(FieldKind.DIRECTION) == (0 if signed else 1)


def _read_commands(commands: CommandSet, traffic: Traffic, candidate: StopCandidate | None) -> _Reading:
    stop, companions = candidate or (None, frozenset[str]())
    found = list(traffic.counters)
    checksum = find_checksum(commands.values)
    if checksum is not None:
        found = [one for one in found if one.end <= checksum.start or one.start >= checksum.end] + [checksum]
    own = (one for one in found if one.kind in {FieldKind.COUNTER, FieldKind.CHECKSUM})
    hidden = frozenset(at for one in own for at in range(one.start, one.end))
    is_same_length = stop is not None and len(stop.digits) == 2 * traffic.length
    found += find_fields(commands.sequences, hidden, stop if is_same_length else None)
    return _Reading(commands, sorted(found, key=lambda one: one.start), stop, companions)


def _is_rest(reading: _Reading) -> bool:
    """Whether the stop cannot be a motion.

    It has a direction of its own, or a speed that is 0 or between both ways, or other digits where all motions agree.
    """
    stop = reading.stop
    if stop is None or len(stop.digits) != 2 * reading.commands.length:
        return True
    for one in reading.fields:
        here = stop.digits[one.start : one.end]
        if one.kind is FieldKind.DIRECTION and one.direction_values and here not in one.direction_values.moving:
            return True
        if one.kind is FieldKind.SPEED and one.number is not None and "?" not in here and not size_of(here, one.number):
            return True
        if one.kind is FieldKind.CONSTANT and one.direction_values and here != one.direction_values.none:
            return True
        if one.kind is FieldKind.NUMBERS and set(bytes.fromhex(here)) <= RESTING_BYTES:
            return True
    return False


def _likeness(reading: _Reading) -> tuple[int, int]:
    """How much the stop is like the motions, and like rest: the usual digits that it has, and its zeros elsewhere."""
    stop = reading.stop
    if stop is None or len(stop.digits) != 2 * reading.commands.length:
        return 0, 0
    motions = Counter(reading.commands.values)
    if reading.commands.stop_value is not None:
        del motions[reading.commands.stop_value]
    usual = usual_digits(motions)
    pairs = list(zip(usual, stop.digits, strict=True))
    return sum(digit == here for digit, here in pairs if digit), sum(here == "0" for digit, here in pairs if not digit)
