"""The answers to OWASP ASVS leave no requirement out, and name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/reference/asvs.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
ANSWERS = {"met", "not met", "n/a"}
SECTIONS = {  # how many of levels 1 and 2 each section of version 5.0.0 has; those of level 3 come after them
    "3.2": 2,
    "3.3": 4,
    "3.4": 6,
    "3.5": 5,
    "3.7": 2,
    "4.1": 3,
    "4.2": 1,
    "4.3": 2,
    "4.4": 4,
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
    "9.1": 3,
    "9.2": 4,
    "11.1": 2,
    "11.2": 3,
    "11.3": 3,
    "11.4": 4,
    "11.5": 1,
    "11.6": 1,
    "12.1": 3,
    "12.2": 2,
    "12.3": 4,
    "13.1": 1,
    "13.2": 5,
    "13.3": 2,
    "13.4": 5,
    "14.1": 2,
    "14.2": 4,
    "14.3": 3,
    "16.1": 1,
    "16.2": 5,
    "16.3": 4,
    "16.4": 3,
    "16.5": 3,
}


def rows() -> list[tuple[str, str, str, str]]:
    """Number, what is asked for, answer, and the reason with the tests."""
    return ROW.findall(DOCUMENT.read_text(encoding="utf-8"))


def unknown_tests(text: str) -> list[str]:
    """The tests that a text names and that do not exist."""
    return [f"{path}::{name}" for path, name in NAMED.findall(text) if not _exists(ROOT / path, name)]


def _exists(path: Path, name: str) -> bool:
    return path.is_file() and f"def {name}(" in path.read_text(encoding="utf-8")


def test_every_requirement_of_levels_1_and_2_has_one_answer() -> None:
    wanted = [f"{section}.{number}" for section, last in SECTIONS.items() for number in range(1, last + 1)]
    assert [number for number, *_ in rows()] == wanted


@pytest.mark.parametrize("number", [number for number, *_ in rows()])
def test_each_answer_is_one_of_three_and_has_a_reason(number: str) -> None:
    (row,) = (each for each in rows() if each[0] == number)
    assert row[2] in ANSWERS
    assert len(row[3]) > len("one")


def test_the_named_tests_exist() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > len(SECTIONS)
    assert unknown_tests(text) == []


def test_a_test_that_does_not_exist_is_found() -> None:
    assert unknown_tests("`tests/architecture/test_asvs.py::test_no_such`") == [
        "tests/architecture/test_asvs.py::test_no_such"
    ]
