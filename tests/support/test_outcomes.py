"""Runs of pytest are counted by their reports; one that ends without a report is an error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.support.outcomes import NO_TESTS, closing_line, counts_in, counts_of, is_success

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = """<testsuites><testsuite>
<testcase name="a" /><testcase name="b"><failure message="no" /></testcase>
<testcase name="c"><skipped /></testcase><testcase name="d"><error /></testcase><testcase name="e" />
</testsuite></testsuites>"""
PASSED = "<testsuite><testcase /></testsuite>"


def test_every_outcome_is_counted() -> None:
    assert counts_in(JUNIT) == Counter(passed=2, failed=1, skipped=1, errors=1)


@pytest.mark.parametrize(
    ("status", "junit", "counts"),
    [
        (0, PASSED, {"passed": 1}),
        (1, JUNIT, {"passed": 2, "failed": 1, "skipped": 1, "errors": 1}),
        (1, PASSED, {"passed": 1, "errors": 1}),
        (-9, None, {"errors": 1}),
        (NO_TESTS, None, {}),
    ],
)
def test_a_run_that_fails_without_a_failed_test_is_an_error(
    tmp_path: Path, status: int, junit: str | None, counts: dict[str, int]
) -> None:
    report = tmp_path / "junit.xml"
    if junit is not None:
        report.write_text(junit, encoding="utf-8")
    assert counts_of(status, report) == Counter(counts)


def test_the_closing_line_is_pytests() -> None:
    line = closing_line(Counter(passed=40, failed=1), 61.5)
    assert line.strip("=") == " 1 failed, 40 passed in 61.50s "


@pytest.mark.parametrize(
    ("counts", "is_good"),
    [({"passed": 1, "skipped": 1}, True), ({}, False), ({"passed": 9, "failed": 1}, False), ({"errors": 1}, False)],
)
def test_success_is_a_passed_test_and_no_failed_one(counts: dict[str, int], *, is_good: bool) -> None:
    assert is_success(Counter(counts)) is is_good
