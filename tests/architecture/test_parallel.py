"""`make test-python` runs every test once, in parts, and sums them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests import parallel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime  # child processes run the tests

MARKERS = ("realtime", "alone", "browser")
SETTINGS = """[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = ["--strict-markers"]
markers = ["realtime: ", "alone: ", "browser: ", "interop: ", "deploy: "]
"""
BEGINNING = """import os
from pathlib import Path
import pytest

def note(name):
    with Path("ran").open("a") as file:
        file.write(f"{os.getpid()} {name}\\n")
"""
TEST = """
def test_{name}():
    note("{name}")
    assert {number} != FAILS
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a test for each combination of markers; the test whose number is in `fails` fails.

    Each is there again for `make test-interop` and for `make test-deploy`, where it would fail.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take most of the time, and none is needed
    monkeypatch.setattr(parallel, "ROOT", tmp_path)
    monkeypatch.setattr(parallel, "OUT", tmp_path / "out")
    (tmp_path / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "fails").write_text("-1", encoding="utf-8")
    source = BEGINNING + "\nFAILS = int(Path('fails').read_text())\n"
    for number in range(2 ** len(MARKERS)):
        marks = [name for place, name in enumerate(MARKERS) if number >> place & 1]
        source += "\n" + "\n".join(f"@pytest.mark.{name}" for name in marks)
        source += TEST.format(name="_".join(marks) or "plain", number=number)
        for other in ("interop", "deploy"):
            source += "\n" + "\n".join(f"@pytest.mark.{name}" for name in [other, *marks])
            source += TEST.format(name="_".join([other, *marks]), number="FAILS")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").write_text(source, encoding="utf-8")
    (tmp_path / "tests/vm").mkdir()
    (tmp_path / "tests/vm/test_machine.py").write_text("from pytest.mark.realtime import nothing\n", encoding="utf-8")
    (tmp_path / "tests/vm/conftest.py").write_text('collect_ignore_glob = ["test_*.py"]\n', encoding="utf-8")
    return tmp_path


def runs(project: Path) -> dict[str, list[str]]:
    """The tests that ran in each process, in the order in which the processes ran their first."""
    found: dict[str, list[str]] = {}
    for line in (project / "ran").read_text(encoding="utf-8").splitlines():
        process, name = line.split()
        found.setdefault(process, []).append(name)
    return found


def test_every_test_runs_once_and_those_that_need_the_machine_alone_run_last(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert parallel.main([]) == 0
    *together, browser, alone = runs(project).values()
    assert sorted(together) == [["plain"], ["realtime"]]
    assert sorted(browser) == ["browser", "realtime_browser"]
    assert sorted(alone) == ["alone", "alone_browser", "realtime_alone", "realtime_alone_browser"]
    assert capfd.readouterr().out.splitlines()[-1].strip("= ").startswith("8 passed in ")


@pytest.mark.parametrize("number", [0, 1, 2, 4])  # one in each part
def test_a_failed_test_in_any_part_fails_the_run_and_is_shown(
    project: Path, capfd: pytest.CaptureFixture[str], number: int
) -> None:
    (project / "fails").write_text(str(number), encoding="utf-8")
    assert parallel.main([]) == 1
    shown = capfd.readouterr().out
    assert f"assert {number} != {number}" in shown
    assert shown.splitlines()[-1].strip("= ").startswith("1 failed, 7 passed in ")


def test_arguments_are_those_of_one_pytest(project: Path) -> None:
    assert parallel.main(["-k", "(plain or alone) and not (interop or deploy)"]) == 0
    (ran,) = runs(project).values()
    assert ran[0] == "plain"
    assert len(ran) == 5


def test_a_part_that_cannot_run_fails_the_run(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "tests/test_it.py").write_text("import nowhere", encoding="utf-8")
    assert parallel.main([]) == 1
    assert capfd.readouterr().out.splitlines()[-1].strip("= ").startswith("1 errors in ")


def test_a_part_is_ended_with_the_run(project: Path) -> None:
    (project / "tests/test_it.py").write_text("import time\n\ntime.sleep(1000)\n", encoding="utf-8")
    parallel.OUT.mkdir()
    files = ["tests/test_it.py"]
    with pytest.raises(KeyboardInterrupt), parallel.Part("virtual", parallel.VIRTUAL, files, is_shown=False) as part:
        raise KeyboardInterrupt
    assert part.wait() == {"errors": 1}
