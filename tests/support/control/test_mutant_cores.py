"""The model harness detects every listed mutation of the core within a stated number of random schedules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.control.mutations import MUTATIONS

SCHEDULES = 1500
UNCHANGED_SCHEDULES = 100  # enough to see that a core in a process of its own works; test_random_schedule tries more
TIMEOUT_S = 280.0
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.realtime  # processes run the cores


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    """The harness's verdict on each mutated core, by the mutation's name, and on the original, by ""."""
    command = [sys.executable, "-m", "tests.support.control.mutant_cores", str(SCHEDULES), str(UNCHANGED_SCHEDULES)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    found: dict[str, str] = json.loads(result.stdout)
    return found


def test_the_unchanged_core_keeps_every_rule(verdicts: dict[str, str]) -> None:
    assert verdicts[""] == "kept every rule"


@pytest.mark.parametrize("name", [mutation.name for mutation in MUTATIONS])
def test_the_harness_detects_a_core_in_which(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[name].startswith("found")
