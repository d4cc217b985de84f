"""The command as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "belvedere.cli", "scan"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.realtime
def test_a_program_reads_the_demos_units() -> None:
    ran = run("--virtual", "--json", "--for", "1")
    assert ran.returncode == 0, ran.stderr
    axes = {device["name"]: device["matches"][0]["axis"] for device in json.loads(ran.stdout)["devices"]}
    assert sorted(axes.values()) == ["pan", "tilt"]


@pytest.mark.realtime
def test_a_profile_that_is_not_there_is_one_line_and_status_2() -> None:
    ran = run("--virtual", "--profile", "nowhere.toml")
    assert ran.returncode == 2
    assert ran.stderr.startswith("belvedere: nowhere.toml: ")
    assert ran.stderr.count("\n") == 1
