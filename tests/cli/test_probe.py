"""The command as a person runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import load_profile
from belvedere.sim.head import ADDRESSES

COMMAND = [sys.executable, "-m", "belvedere.cli", "probe"]
SHIPPED = Path(__file__).parents[2] / "src/belvedere/head/profiles/zeapon-pons-pt.toml"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.realtime
def test_a_probe_of_the_demos_head_writes_what_it_found_into_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    options = ["--virtual", "--axis", "pan", "--no-calibrate", "--no-drop", "--minutes", "0.13"]
    ran = run(ADDRESSES[Axis.PAN], "--profile", str(path), *options, cwd=tmp_path)
    assert "the time limit was reached" in ran.stdout, ran.stderr
    assert ran.returncode == 1
    profile = load_profile(path.read_text(encoding="utf-8"), "draft.toml")
    assert profile.pan is not None
    assert profile.pan.address == ADDRESSES[Axis.PAN]
    assert "ended a turn at 5% of full speed" in path.read_text(encoding="utf-8")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["C0:DE:00:00:00:01", "--profile", "nowhere.toml"], "nowhere.toml"),
        (["PONS", "--profile", str(SHIPPED), "--axis", "pan"], "not a Bluetooth address"),
        (["C0:DE:00:00:00:01", "--profile", str(SHIPPED)], "--axis"),
        (["C0:DE:00:00:00:01", "--profile", str(SHIPPED), "--axis", "pan"], "needs a terminal"),
        (["C0:DE:00:00:00:01"], "--profile"),
    ],
)
def test_a_probe_that_cannot_be_done_is_one_line_and_status_2(
    arguments: list[str], problem: str, tmp_path: Path
) -> None:
    ran = run(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith("belvedere: ")
    assert ran.stderr.count("\n") == 1
    assert problem in ran.stderr
