"""The code speaks the field's words: metaphors that once stood for them do not come back.

A networking or robotics engineer must know a name without a glossary, and find a log line by what happened.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = (
    ("src/belvedere", "*.py"),
    ("web/src", "*.ts"),
    ("web/src", "*.tsx"),
    ("benchmarks", "*.py"),
    ("tools", "*.py"),
    ("tests", "*.py"),
)
INSTEAD = {
    "courier": "write scheduler",
    "mailbox": "latest command",
    "at the door": "logging in, knocking",
    "doorkeeper": "authentication middleware",
    "keeper": "recorder",
    "patience": "timeout",
    "sighting": "discovered device",
    "seeker": "search",
    "furnish": "resolve",
    "afterimage": "last frame",
    "outlet": "subscriber",
    "sign of life": "heartbeat",
    "let go of": "cancel, abandon, release",
    "handed over": "written, passed",
    "turned away": "rejected",
    "see to it": "ensure",
}
BANNED = re.compile(rf"(?<![a-z])({'|'.join(INSTEAD)})s?(?![a-z])", re.IGNORECASE)


def findings(path: str, text: str) -> list[str]:
    """Each word that has a better one, with its place."""
    lines = enumerate(text.replace("_", " ").splitlines(), start=1)
    return [
        f"{path}:{number}: {found[1]}: use {INSTEAD[found[1].lower()]}"
        for number, line in lines
        for found in BANNED.finditer(line)
    ]


def test_no_metaphor_comes_back() -> None:
    files = sorted({path for folder, pattern in READ for path in (ROOT / folder).rglob(pattern)} - {Path(__file__)})
    assert files
    assert not [
        line for path in files for line in findings(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    "line", ["class Courier:", "self._mailbox.put()", "# let go of it", "DOORKEEPER_S = 1", "two couriers"]
)
def test_a_metaphor_is_found(line: str) -> None:
    assert findings("a.py", line)


@pytest.mark.parametrize("line", ["bookkeeper", "soutlet"])
def test_a_word_inside_another_is_not(line: str) -> None:
    assert not findings("a.py", line)
