"""The command as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "belvedere.cli", "doctor"]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


@pytest.mark.realtime
def test_a_program_gets_every_finding_and_the_status_says_whether_anything_is_bad(tmp_path: Path) -> None:
    ran = run("--json", "--no-units", cwd=tmp_path)
    document = json.loads(ran.stdout)
    states = {result["name"]: result["state"] for result in document["results"]}
    assert states["configuration"] == "warning"
    assert {"Bluetooth service", "clock", "disk", "encoder"} <= states.keys()
    assert ran.returncode == int(document["state"] == "error")


@pytest.mark.realtime
def test_a_file_that_is_wrong_is_a_result_and_the_rest_is_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "belvedere.toml").write_text("[camera]\nkind = 'tv'\n", encoding="utf-8")
    ran = run("--json", "--no-units", cwd=tmp_path)
    results = {result["name"]: result for result in json.loads(ran.stdout)["results"]}
    assert results["configuration"]["state"] == "error"
    assert "camera.kind" in results["configuration"]["message"]
    assert "memory" in results
    assert ran.returncode == 1


@pytest.mark.realtime
def test_the_owners_file_says_what_is_checked(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[server]\nport = 18080\n", encoding="utf-8")
    ran = run("--no-units", "--config", "mine.toml", cwd=tmp_path)
    assert "mine.toml is valid" in ran.stdout
    assert "virtual" in ran.stdout
    assert "port 18080" in ran.stdout
