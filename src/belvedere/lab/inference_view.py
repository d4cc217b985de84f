"""Shows what was inferred of a log: a line for each part of a frame, with how sure that is and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from belvedere.lab.draft import undraftable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from belvedere.lab.inference.readings import Inference, Reading


def shown(inferences: Iterable[Inference]) -> Group:
    """A table for each handle that is written to."""
    parts: list[Text | Table] = []
    for one in inferences:
        parts += [_title(one), _table(one), *(Text(f"  {line}") for line in _lines(one)), Text()]
    return Group(*parts)


def _title(inference: Inference) -> Text:
    text = Text(f"What handle 0x{inference.handle:04x} takes", style="bold")
    text.append(f" ({inference.device}; {inference.count} commands, {inference.distinct} different)", "not bold")
    return text


def _table(inference: Inference) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("digits", no_wrap=True)
    table.add_column("sure", justify="right", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("because", overflow="fold")
    for reading in inference.readings:
        place = f"{reading.start + 1}" + (f"-{reading.end}" if reading.end > reading.start + 1 else "")
        table.add_row(place, f"{100 * reading.confidence:.0f} %", _what(reading), reading.evidence)
    return table


def _what(reading: Reading) -> str:
    others = "".join(f"; or {one.says} ({100 * one.confidence:.0f} %)" for one in reading.alternatives)
    return reading.says + others


def _lines(inference: Inference) -> list[str]:
    lines = []
    if inference.stop is not None:
        sure = f"{100 * inference.stop.confidence:.0f} % sure"
        lines.append(f"stop: {inference.stop.digits} ({sure}: {inference.stop.evidence})")
    lines += [f"besides: {one.count} x {one.says}, such as {one.example.hex(' ')}" for one in inference.asides]
    lines += [f"to be surer of digits {one.start + 1} on: {one.advice}" for one in inference.readings if one.advice]
    why_not = undraftable(inference)
    return [*lines, *inference.notes, *([f"no profile can be drafted: {why_not}"] if why_not else [])]
