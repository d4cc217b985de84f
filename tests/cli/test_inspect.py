"""The command as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from belvedere.sim.head import ADDRESSES

COMMAND = [sys.executable, "-m", "belvedere.cli", "inspect"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.realtime
def test_a_program_reads_what_a_unit_of_the_demo_has() -> None:
    ran = run("--virtual", "--json", ADDRESSES["tilt"])  # type: ignore[index]  # an axis is its word
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["matches"] == [{"head": "ZEAPON PONS PT", "axis": "tilt"}]


@pytest.mark.realtime
def test_what_is_no_address_is_one_line_and_status_2() -> None:
    ran = run("PONS-PAN")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("belvedere: PONS-PAN is not a Bluetooth address")
    assert ran.stderr.count("\n") == 1
