"""The model harness detects every listed mutation of the core within a stated number of random schedules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest
from tests.support.control.mutations import MUTATIONS, Mutation

import belvedere

SCHEDULES = 1500
UNCHANGED_SCHEDULES = 100  # enough to see that a copy works; test_random_schedule tries thousands
STEPS = 40
CHILD_TIMEOUT_S = 120.0
NEEDED = ("__init__.py", "errors.py", "control", "head")
SOURCE = Path(belvedere.__file__).parent
ROOT = Path(__file__).parents[3]
SCRIPT = f"""
import sys
from random import Random
from tests.support.control.random_schedule import run_random_schedule
for seed in range(int(sys.argv[1])):
    try:
        run_random_schedule(Random(seed), {STEPS})
    except Exception as error:
        print(f"found by seed {{seed}}: {{error!r}}")
        break
else:
    print("kept every rule")
"""


def copy_of_the_core(folder: Path) -> Path:
    """A copy of the core and of the packages it imports, to be changed."""
    target = folder / "belvedere"
    target.mkdir()
    for name in NEEDED:
        if (SOURCE / name).is_dir():
            shutil.copytree(SOURCE / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(SOURCE / name, target / name)
    return target


def verdict_on(mutation: Mutation | None, folder: Path, compiled: Path) -> str:
    """The harness's verdict on a core with this mutation."""
    core = copy_of_the_core(folder)
    if mutation is not None:
        module = core / "control" / f"{mutation.module}.py"
        source = module.read_text(encoding="utf-8")
        if mutation.old not in source:
            return "not found in the source: update the list of mutations"
        module.write_text(source.replace(mutation.old, mutation.new, 1), encoding="utf-8")
    schedules = SCHEDULES if mutation is not None else UNCHANGED_SCHEDULES
    command = [sys.executable, "-c", SCRIPT, str(schedules)]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONPYCACHEPREFIX": str(compiled)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # all but the core is compiled once for all of them
    try:
        result = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "found: it never ends"
    return result.stdout.strip() or result.stderr


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The harness's verdict on each mutated core and on the original; all processors work at it."""
    cores: list[Mutation | None] = [None, *MUTATIONS]
    folders = [tmp_path_factory.mktemp("core") for _ in cores]
    compiled = tmp_path_factory.mktemp("compiled")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(verdict_on, cores, folders, repeat(compiled)))
    return {core.name if core else "": verdict for core, verdict in zip(cores, results, strict=True)}


@pytest.mark.realtime  # child processes run the cores
def test_the_unchanged_core_keeps_every_rule(verdicts: dict[str, str]) -> None:
    assert verdicts[""] == "kept every rule"


@pytest.mark.realtime
@pytest.mark.parametrize("name", [mutation.name for mutation in MUTATIONS])
def test_the_harness_detects_a_core_in_which(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[name].startswith("found")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_is_found_once_in_the_source(mutation: Mutation) -> None:
    source = (SOURCE / "control" / f"{mutation.module}.py").read_text(encoding="utf-8")
    assert source.count(mutation.old) == 1


def test_every_mutation_has_a_name_of_its_own() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
