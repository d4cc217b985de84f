"""Shows what the doctor found: a line each, with the cure below where there is one; or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from belvedere.lab.doctor.check import Finding, State, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKS = {
    State.OK: Text("✔ ok", "green"),
    State.WARNING: Text("! warning", "bold yellow"),
    State.BAD: Text("✘ bad", "bold red"),
    State.UNKNOWN: Text("? unknown", "cyan"),
}


def report(findings: Sequence[Finding]) -> Table:
    """All findings as a table without lines."""
    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, style="bold")
    shown.add_column(overflow="fold")
    for finding in findings:
        shown.add_row(MARKS[finding.state], finding.name, escape(finding.says))
        if finding.cure:
            shown.add_row("", "", _arrow(finding.cure))
    return shown


def _arrow(cure: str) -> Table:
    """The cure behind an arrow, its lines one below the other."""
    shown = Table.grid(padding=(0, 1))
    shown.add_row(Text("->"), Text(cure, "italic"))
    return shown


def verdict(findings: Sequence[Finding]) -> str:
    """How it stands altogether, in a sentence."""
    counts = {state: sum(finding.state is state for finding in findings) for state in State}
    if counts[State.BAD]:
        return f"{counts[State.BAD]} of {len(findings)} must be mended; the arrows say how."
    if counts[State.WARNING]:
        return f"It works; {counts[State.WARNING]} of {len(findings)} could be better."
    if counts[State.UNKNOWN]:
        return f"Nothing bad was found; {counts[State.UNKNOWN]} of {len(findings)} could not be looked at."
    return "All is well."


def as_json(findings: Sequence[Finding]) -> str:
    """Everything as one JSON document."""
    lines = [{"name": one.name, "state": one.state.value, "says": one.says, "cure": one.cure} for one in findings]
    return json.dumps({"state": worst(findings).value, "findings": lines}, indent=2, ensure_ascii=False)
