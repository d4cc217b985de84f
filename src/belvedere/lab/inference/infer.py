"""From the values that went over a handle to what their digits mean, with confidence and evidence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from belvedere.lab.inference.checks import check_of
from belvedere.lab.inference.counters import counters_of
from belvedere.lab.inference.families import commands_of
from belvedere.lab.inference.fields import fields_of
from belvedere.lab.inference.readings import Inference, Kind
from belvedere.lab.inference.stops import stop_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from belvedere.lab.inference.families import Family
    from belvedere.lab.inference.readings import Reading
    from belvedere.lab.streams import ValueStream

WRITES = frozenset({0x12, 0x52, 0xD2})
FEWEST_COMMANDS = 8  # below that anything may mean anything
FEWEST_DIFFERENT = 3


def infer(streams: Iterable[ValueStream]) -> list[Inference]:
    """What each handle's writes mean, the busiest first; devices that speak alike are understood together."""
    written = [stream for stream in streams if stream.opcode in WRITES and stream.direction != "received"]
    groups: dict[tuple[int, str | None, int, int], list[ValueStream]] = {}
    for stream in written:
        length = Counter(len(sample.value) for sample in stream.samples).most_common(1)[0][0] if stream.samples else 0
        groups.setdefault((stream.opcode, stream.uuid, stream.handle, length), []).append(stream)
    found = [_of_group(group) for group in groups.values()]
    return sorted((one for one in found if one is not None), key=lambda one: -one.count)


def _of_group(streams: Sequence[ValueStream]) -> Inference | None:
    family = commands_of(streams)
    values = family.values
    if len(values) < FEWEST_COMMANDS or len(set(values)) < FEWEST_DIFFERENT:
        return None
    first = streams[0]
    readings, notes = _readings(family)
    hidden = _hidden(readings)
    return Inference(
        device=", ".join(dict.fromkeys(stream.device for stream in streams)),
        direction=first.direction,
        opcode=first.opcode,
        handle=first.handle,
        uuid=first.uuid,
        count=len(values),
        distinct=len(set(values)),
        length=len(values[0]),
        readings=tuple(readings),
        stop=stop_of(family, hidden),
        asides=family.asides,
        notes=tuple(notes),
    )


def _readings(family: Family) -> tuple[list[Reading], list[str]]:
    takes = [[sample.value for sample in take] for take in family.takes]
    found = counters_of(takes, len(family.values[0]))
    check = check_of(family.values)
    if check is not None:
        found = [one for one in found if one.end <= check.start] + [check]
    hidden = _hidden(found)
    stop = stop_of(family, hidden)
    found += fields_of(takes, hidden, stop)
    notes = [] if stop is not None else ["no frame looks like a stop: let go several times in the app, and look again"]
    if not any(one.kind is Kind.SPEED for one in found):
        notes.append("no digits look like a speed")
    return sorted(found, key=lambda one: one.start), notes


def _hidden(readings: Iterable[Reading]) -> frozenset[int]:
    """Digits that say nothing of what is wanted."""
    own = (one for one in readings if one.kind in {Kind.COUNTER, Kind.CHECK})
    return frozenset(at for one in own for at in range(one.start, one.end))
