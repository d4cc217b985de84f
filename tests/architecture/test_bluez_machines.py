"""The outcomes in the machines with a real BlueZ are counted, also when one of them ends without a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.bluez import machines
from tests.support import virtual_machines

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = """<testsuites><testsuite>
<testcase name="a" /><testcase name="b"><failure message="no" /></testcase>
<testcase name="c"><skipped /></testcase><testcase name="d"><error /></testcase><testcase name="e" />
</testsuite></testsuites>"""
SCRIPT = """#!/bin/bash
if [ "$1" = build ]; then exit "$(cat building)"; fi
cp junit "$3/junit.xml" 2>/dev/null
echo "$2 $*" >>selected
exit "$(cat running)"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose machines do what its files say."""
    monkeypatch.setattr(virtual_machines, "ROOT", tmp_path)
    monkeypatch.setattr(machines, "OUT", tmp_path / "out")
    script = tmp_path / virtual_machines.SCRIPT
    script.parent.mkdir()
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    for name in machines.MACHINES:
        (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "building").write_text("0", encoding="utf-8")
    (tmp_path / "running").write_text("0", encoding="utf-8")
    return tmp_path


def test_the_machines_are_summed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "junit").write_text("<testsuite><testcase /><testcase /></testsuite>", encoding="utf-8")
    assert machines.main([]) == 0
    assert "4 passed in" in capsys.readouterr().out.splitlines()[-1]


def test_one_machine_may_be_chosen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "junit").write_text("<testsuite><testcase /></testsuite>", encoding="utf-8")
    assert machines.main(["--machine", "trixie", "-k", "vanish"]) == 0
    assert "1 passed in" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "on_older"),
    [([], True), (["--everything"], False), (["-k", "vanish"], False), (["--machine", "bookworm"], False)],
)
def test_the_older_bluez_gets_only_what_depends_on_its_version_unless_told_otherwise(
    project: Path, arguments: list[str], *, on_older: bool
) -> None:
    (project / "junit").write_text("<testsuite><testcase /></testsuite>", encoding="utf-8")
    assert machines.main(arguments) == 0
    ran = (project / "selected").read_text(encoding="utf-8").splitlines()
    assert ["-m every_bluez" in line for line in ran if line.startswith("bookworm")] == [on_older]
    assert not any("-m every_bluez" in line for line in ran if line.startswith("trixie"))
    assert not any("--everything" in line for line in ran)


@pytest.mark.parametrize("step", ["building", "running"])
def test_a_machine_that_ends_without_a_report_is_an_error(
    project: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    (project / step).write_text("99", encoding="utf-8")
    assert machines.main([]) == 1
    assert "2 errors in" in capsys.readouterr().out.splitlines()[-1]


def test_a_failed_scenario_fails_everything(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "junit").write_text(JUNIT, encoding="utf-8")
    (project / "running").write_text("1", encoding="utf-8")
    assert machines.main([]) == 1
    assert "2 failed, 4 passed, 2 skipped, 2 errors in" in capsys.readouterr().out.splitlines()[-1]


def test_no_scenario_at_all_is_no_success(project: Path) -> None:
    (project / "running").write_text("5", encoding="utf-8")
    assert machines.main([]) == 1
