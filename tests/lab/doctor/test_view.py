from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from belvedere.lab.doctor.check import Finding, State
from belvedere.lab.doctor.view import as_json, report, verdict

OK = Finding("clock", State.OK, "follows a time server")
BAD = Finding("adapter", State.BAD, "is blocked [by somebody]", "sudo rfkill unblock bluetooth")
WARNING = Finding("camera", State.WARNING, "there is none", "plug it in")
UNKNOWN = Finding("BlueZ", State.UNKNOWN, "cannot be seen")


def test_a_line_says_how_it_stands_and_the_cure_is_below() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(report([OK, BAD]))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[0].rstrip().split(maxsplit=3) == ["✔", "ok", "clock", "follows a time server"]
    assert "is blocked [by somebody]" in lines[1]
    assert lines[2].strip() == "-> sudo rfkill unblock bluetooth"


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([OK], "All is well."),
        ([OK, UNKNOWN], "1 of 2 could not be looked at"),
        ([OK, WARNING, UNKNOWN], "1 of 3 could be better"),
        ([OK, WARNING, BAD, BAD], "2 of 4 must be mended"),
    ],
)
def test_the_sentence_tells_the_worst(findings: list[Finding], words: str) -> None:
    assert words in verdict(findings)


def test_a_program_gets_everything() -> None:
    assert json.loads(as_json([OK, BAD])) == {
        "state": "bad",
        "findings": [
            {"name": "clock", "state": "ok", "says": "follows a time server", "cure": ""},
            {"name": "adapter", "state": "bad", "says": BAD.says, "cure": BAD.cure},
        ],
    }
