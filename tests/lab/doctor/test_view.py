from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.lab.doctor.view import as_json, results_table, summary

OK = CheckResult("clock", CheckState.OK, "follows a time server")
ERROR = CheckResult("adapter", CheckState.ERROR, "is blocked [by somebody]", "sudo rfkill unblock bluetooth")
WARNING = CheckResult("camera", CheckState.WARNING, "there is none", "plug it in")
UNKNOWN = CheckResult("BlueZ", CheckState.UNKNOWN, "cannot be seen")


def test_a_line_says_how_it_stands_and_the_fix_is_below() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(results_table([OK, ERROR]))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[0].rstrip().split(maxsplit=3) == ["✔", "ok", "clock", "follows a time server"]
    assert "is blocked [by somebody]" in lines[1]
    assert lines[2].strip() == "-> sudo rfkill unblock bluetooth"


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([OK], "All checks passed."),
        ([OK, UNKNOWN], "1 of 2 checks could not be made"),
        ([OK, WARNING, UNKNOWN], "1 of 3 checks gave a warning"),
        ([OK, WARNING, ERROR, ERROR], "2 of 4 checks failed"),
    ],
)
def test_the_sentence_tells_the_worst(results: list[CheckResult], words: str) -> None:
    assert words in summary(results)


def test_a_program_gets_everything() -> None:
    assert json.loads(as_json([OK, ERROR])) == {
        "state": "error",
        "results": [
            {"name": "clock", "state": "ok", "message": "follows a time server", "fix": ""},
            {"name": "adapter", "state": "error", "message": ERROR.message, "fix": ERROR.fix},
        ],
    }
