"""Infers what the digits of the values written to a handle mean, with confidence and evidence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from belvedere.lab.inference.checksums import find_checksum
from belvedere.lab.inference.commands import separate_commands
from belvedere.lab.inference.counters import find_counters
from belvedere.lab.inference.fields import find_fields
from belvedere.lab.inference.results import FieldKind, Inference
from belvedere.lab.inference.stops import find_stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from belvedere.lab.inference.commands import CommandSet
    from belvedere.lab.inference.results import FrameField
    from belvedere.lab.streams import ValueStream

WRITES = frozenset({0x12, 0x52, 0xD2})
MIN_COMMANDS = 8  # with fewer, almost any layout fits
MIN_DISTINCT = 3


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
    commands = separate_commands(streams)
    values = commands.values
    if len(values) < MIN_COMMANDS or len(set(values)) < MIN_DISTINCT:
        return None
    first = streams[0]
    fields, notes = _frame_fields(commands)
    hidden = _hidden(fields)
    return Inference(
        device=", ".join(dict.fromkeys(stream.device for stream in streams)),
        direction=first.direction,
        opcode=first.opcode,
        handle=first.handle,
        uuid=first.uuid,
        count=len(values),
        distinct=len(set(values)),
        length=len(values[0]),
        fields=tuple(fields),
        stop=find_stop(commands, hidden),
        other_traffic=commands.other_traffic,
        notes=tuple(notes),
    )


def _frame_fields(commands: CommandSet) -> tuple[list[FrameField], list[str]]:
    sequences = [[sample.value for sample in sequence] for sequence in commands.sequences]
    found = find_counters(sequences, len(commands.values[0]))
    checksum = find_checksum(commands.values)
    if checksum is not None:
        found = [one for one in found if one.end <= checksum.start] + [checksum]
    hidden = _hidden(found)
    stop = find_stop(commands, hidden)
    found += find_fields(sequences, hidden, stop)
    notes = (
        []
        if stop is not None
        else ["no frame looks like a stop: release the control several times in the app, and record another log"]
    )
    if not any(one.kind is FieldKind.SPEED for one in found):
        notes.append("no digits look like a speed")
    return sorted(found, key=lambda one: one.start), notes


def _hidden(fields: Iterable[FrameField]) -> frozenset[int]:
    """Digits that do not depend on the commanded motion: counters and checksums."""
    own = (one for one in fields if one.kind in {FieldKind.COUNTER, FieldKind.CHECKSUM})
    return frozenset(at for one in own for at in range(one.start, one.end))
