"""Counts the outcomes of several runs of pytest, and sums them up as one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NO_TESTS = 5  # pytest's exit status if nothing was selected
OUTCOMES = ("failed", "passed", "skipped", "errors")  # in pytest's own order


def counts_in(junit: str) -> Counter[str]:
    """How many tests had which outcome, from pytest's JUnit report."""
    counts: Counter[str] = Counter()
    for case in ET.fromstring(junit).iter("testcase"):  # noqa: S314 - written by our own pytest
        kinds = {child.tag for child in case}
        failed = [outcome for tag, outcome in (("failure", "failed"), ("error", "errors")) if tag in kinds]
        counts.update(failed or ["skipped" if "skipped" in kinds else "passed"])
    return counts


def counts_of(status: int, report: Path) -> Counter[str]:
    """The same for a run with this exit status; one that failed without a failed test counts as an error."""
    counts = counts_in(report.read_text(encoding="utf-8")) if report.is_file() else Counter()
    if status not in (0, NO_TESTS) and not counts["failed"] and not counts["errors"]:
        counts["errors"] += 1  # it ended before pytest could report why
    return counts


def closing_line(counts: Counter[str], took_s: float) -> str:
    """The sum over all runs, in the form of pytest's last line."""
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]) or "no tests ran"
    return f" {summary} in {took_s:.2f}s ".center(80, "=")


def is_success(counts: Counter[str]) -> bool:
    """Whether tests ran and none failed."""
    return bool(counts["passed"]) and not counts["failed"] and not counts["errors"]
