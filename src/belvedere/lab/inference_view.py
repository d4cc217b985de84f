"""Shows what was inferred from a log: a line for each field of a frame, with confidence and evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from belvedere.lab.profile_draft import drafting_obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from belvedere.lab.inference.results import FrameField, Inference


def render(inferences: Iterable[Inference]) -> Group:
    """A table for each handle that commands were written to."""
    parts: list[Text | Table] = []
    for one in inferences:
        parts += [_title(one), _table(one), *(Text(f"  {line}") for line in _lines(one)), Text()]
    return Group(*parts)


def _title(inference: Inference) -> Text:
    text = Text(f"Commands to handle 0x{inference.handle:04x}", style="bold")
    text.append(f" ({inference.device}; {inference.count} commands, {inference.distinct} distinct)", "not bold")
    return text


def _table(inference: Inference) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("digits", no_wrap=True)
    table.add_column("confidence", justify="right", no_wrap=True)
    table.add_column("meaning", overflow="fold")
    table.add_column("evidence", overflow="fold")
    for frame_field in inference.fields:
        place = f"{frame_field.start + 1}" + (f"-{frame_field.end}" if frame_field.end > frame_field.start + 1 else "")
        table.add_row(place, f"{100 * frame_field.confidence:.0f} %", _what(frame_field), frame_field.evidence)
    return table


def _what(frame_field: FrameField) -> str:
    others = "".join(f"; or {one.description} ({100 * one.confidence:.0f} %)" for one in frame_field.alternatives)
    return frame_field.description + others


def _lines(inference: Inference) -> list[str]:
    lines = []
    if inference.stop is not None:
        confidence = f"{100 * inference.stop.confidence:.0f} % confidence"
        lines.append(f"stop: {inference.stop.digits} ({confidence}: {inference.stop.evidence})")
    lines += [
        f"also sent: {one.count} x {one.description}, such as {one.example.hex(' ')}" for one in inference.other_traffic
    ]
    lines += [
        f"to improve confidence in digit {one.start + 1} on: {one.advice}" for one in inference.fields if one.advice
    ]
    obstacle = drafting_obstacle(inference)
    notes = [note for note in inference.notes if note != obstacle]
    return [*lines, *notes, *([f"no profile can be drafted: {obstacle}"] if obstacle else [])]
