"""Every file says what it is for, excuses itself for what it silences, and belongs to no single machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = str(Path(__file__).relative_to(ROOT))
READ_AS_TEXT = {".py", ".ts", ".tsx", ".css", ".html", ".md", ".toml", ".json", ".yaml", ".yml", ".lock", ".mjs", ""}

POSTPONED = re.compile(r"\b(TODO|FIXME|XXX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home/\w+|root|Users/\w+|tmp/\w+)/")
SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma|pyright)|//\s*(?:biome-ignore|@ts-)")
SILENCED_WITH_REASON = re.compile(
    r"#\s*noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*\s+[-#(]\s*\w.+"
    r"|#\s*type: ignore\[[\w, -]+\]\s+#\s*\w.+"
    r"|#\s*pragma: no cover - \w.+"
    r"|//\s*biome-ignore [\w/]+: \w.+"
    r"|//\s*@ts-expect-error \w.+"
)


def findings(path: str, text: str) -> list[str]:
    """What is wrong in a file, one line each."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if POSTPONED.search(line):
            found.append(f"{path}:{number}: open an issue instead")
        if MACHINE_PATH.search(line):
            found.append(f"{path}:{number}: a path of one machine")
        if SILENCED.search(line) and not SILENCED_WITH_REASON.search(line):
            found.append(f"{path}:{number}: silences a check without a code and a reason")
    return found


def tracked_files() -> list[str]:
    """Files that git knows or would take, without those that hold someone else's words."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if Path(name).suffix in READ_AS_TEXT and name != HERE]


def test_nothing_is_postponed_silenced_or_tied_to_one_machine() -> None:
    files = [name for name in tracked_files() if (ROOT / name).is_file()]
    assert not [line for name in files for line in findings(name, (ROOT / name).read_text(encoding="utf-8"))]


def test_every_module_says_in_its_first_line_what_it_is_responsible_for() -> None:
    modules = sorted(path for folder in ("src", "tools") for path in (ROOT / folder).rglob("*.py"))
    silent = [str(path) for path in modules if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert not silent


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # TODO: later",
        "FOLDER = '/home/somebody/belvedere'",
        "x = f()  # noqa",
        "x = f()  # noqa: S101",
        "x = f()  # type: ignore",
        "x = f()  # type: ignore[arg-type]",
        "// @ts-ignore",
        "// biome-ignore lint/a11y/x:",
    ],
)
def test_a_bad_line_is_found(line: str) -> None:
    assert len(findings("some.py", line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "x = f()  # noqa: S101 - asserts in code that tests import",
        "x = f()  # noqa: S101, PLR2004 - both on purpose here",
        "x = f()  # type: ignore[arg-type]  # the stub is older than the library",
        "x = f()  # noqa: ARG002 (the interface gives more than is needed)",
        "// biome-ignore lint/a11y/x: the picture is the control",
        "BUILD = '/usr/bin/chromium'",
        "see https://example.org/home/of/things",
    ],
)
def test_a_good_line_passes(line: str) -> None:
    assert findings("some.py", line) == []
