"""Shows the results of the checks: a line each, with the fix below; or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from belvedere.lab.doctor.check import CheckResult, CheckState, worst_state

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKS = {
    CheckState.OK: Text("✔ ok", "green"),
    CheckState.WARNING: Text("! warning", "bold yellow"),
    CheckState.ERROR: Text("✘ error", "bold red"),
    CheckState.UNKNOWN: Text("? unknown", "cyan"),
}


def results_table(results: Sequence[CheckResult]) -> Table:
    """All results as a table without lines."""
    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, style="bold")
    shown.add_column(overflow="fold")
    for result in results:
        shown.add_row(MARKS[result.state], result.name, escape(result.message))
        if result.fix:
            shown.add_row("", "", _fix_line(result.fix))
    return shown


def _fix_line(fix: str) -> Table:
    """The fix behind an arrow; in a grid, so that wrapped lines are indented behind the arrow."""
    shown = Table.grid(padding=(0, 1))
    shown.add_row(Text("->"), Text(fix, "italic"))
    return shown


def summary(results: Sequence[CheckResult]) -> str:
    """All results in one sentence."""
    counts = {state: sum(result.state is state for result in results) for state in CheckState}
    if counts[CheckState.ERROR]:
        return f"{counts[CheckState.ERROR]} of {len(results)} checks failed; the arrows say how to fix them."
    if counts[CheckState.WARNING]:
        return f"Belvedere will run; {counts[CheckState.WARNING]} of {len(results)} checks gave a warning."
    if counts[CheckState.UNKNOWN]:
        return f"No errors; {counts[CheckState.UNKNOWN]} of {len(results)} checks could not be made."
    return "All checks passed."


def as_json(results: Sequence[CheckResult]) -> str:
    """Everything as one JSON document."""
    lines = [{"name": one.name, "state": one.state.value, "message": one.message, "fix": one.fix} for one in results]
    return json.dumps({"state": worst_state(results).value, "results": lines}, indent=2, ensure_ascii=False)
