from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.support.virtual_machines import MachineTests

if TYPE_CHECKING:
    from pathlib import Path

REPORT = '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite></testsuites>'


def script(folder: Path, build: int, run: int, report: str = "") -> str:
    """A program in place of the script that builds and boots machines; it notes how it was called."""
    path = folder / "machine"
    path.write_text(
        f"""#!/bin/sh
echo "$@" >>{folder}/calls
[ "$1" = build ] && exit {build}
[ -z '{report}' ] || echo '{report}' >"$3/junit.xml"
exit {run}
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return str(path)


def machine_tests_in(folder: Path, program: str) -> MachineTests:
    return MachineTests("camera", folder, "tests/vm", "BELVEDERE_VM", program)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("build", "run", "report", "expected"),
    [
        (1, 0, REPORT, Counter(errors=1)),
        (0, 99, "", Counter(errors=1)),
        (0, 1, REPORT, Counter(passed=1, failed=1)),
    ],
)
def test_outcomes_are_counted_and_a_machine_that_fails_is_an_error(
    tmp_path: Path, build: int, run: int, report: str, expected: Counter[str]
) -> None:
    assert +machine_tests_in(tmp_path, script(tmp_path, build, run, report)).counts([]) == expected


@pytest.mark.realtime
def test_a_report_of_an_earlier_run_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(REPORT, encoding="utf-8")
    assert +machine_tests_in(tmp_path, script(tmp_path, 0, 99)).counts([]) == Counter(errors=1)


@pytest.mark.realtime
def test_the_machine_is_built_and_then_runs_the_tests_with_the_given_arguments(tmp_path: Path) -> None:
    machine_tests = machine_tests_in(tmp_path, script(tmp_path, 0, 0))
    machine_tests.counts(["-k", "x"])
    built, ran = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert built == "build camera"
    assert ran == f"run camera {tmp_path} {' '.join(machine_tests.pytest)} -k x"
    assert ran.endswith("--junitxml=/out/junit.xml --durations=8 tests/vm -k x")
