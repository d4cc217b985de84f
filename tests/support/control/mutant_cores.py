"""The process in which mutated cores meet the harness: a fork for each core, which imports its modules only then.

    python -m tests.support.control.mutant_cores SCHEDULES UNCHANGED_SCHEDULES

Everything that no mutation changes is imported once, before. Prints what came of each core, by the name of its mutation
("" for the unchanged core), as one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from multiprocessing.connection import wait
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.support.control.mutations import MUTATIONS, Mutation

import belvedere.errors
import belvedere.head.axes  # noqa: F401 - what else the core imports

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

CHANGED = "belvedere.control"
STEPS = 40
LIKELY = (941, 929, 658, 305, 264, 232, 223, 217, 152, 109, 43, 39, 34, 30, 26, 23, 22)
"""Seeds that are tried first, because each finds a mutation that few others find. All others follow, so that these only
save time."""
MAX_CPU_S = 60  # many times what all schedules take
MAX_VERDICT_CHARS = 1000  # far less than a pipe holds, so that writing it never waits for a reader


class EditedLoader(SourceFileLoader):
    """Loads a module from its source with an edit."""

    def __init__(self, fullname: str, path: str, mutation: Mutation) -> None:
        super().__init__(fullname, path)
        self._mutation = mutation

    def get_code(self, fullname: str) -> CodeType:
        """Compile the edited source, and cache nothing."""
        return compile(edited(self._mutation, Path(self.path)), self.get_filename(fullname), "exec")


class EditedFinder(MetaPathFinder):
    """Finds the one module that a mutation changes."""

    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Python's own specification, with a loader that edits."""
        spec = PathFinder.find_spec(fullname, path) if fullname == f"{CHANGED}.{self._mutation.module}" else None
        if spec is not None:
            assert spec.origin is not None
            spec.loader = EditedLoader(fullname, spec.origin, self._mutation)
        return spec


def edited(mutation: Mutation, module: Path) -> str:
    """The source of a module with this edit."""
    source = module.read_text(encoding="utf-8")
    assert mutation.old in source, "not found in the source: update the list of mutations"
    return source.replace(mutation.old, mutation.new, 1)


def verdict_on(mutation: Mutation | None, schedules: int) -> str:
    """The harness's verdict on a core with this mutation, in a process that has not imported the core yet."""
    assert CHANGED not in sys.modules
    if mutation is not None:
        sys.meta_path.insert(0, EditedFinder(mutation))
    from tests.support.control.random_schedule import run_random_schedule  # noqa: PLC0415 - it imports the core

    for seed in dict.fromkeys((*(seed for seed in LIKELY if seed < schedules), *range(schedules))):
        try:
            run_random_schedule(Random(seed), STEPS)
        except Exception as error:  # noqa: BLE001 - whatever the mutation breaks
            return f"found by seed {seed}: {error!r}"
    return "kept every rule"


def verdicts(schedules: int, unchanged_schedules: int) -> dict[str, str]:
    """The verdict on each mutated core and on the original; all processors work at it."""
    waiting: list[Mutation | None] = [*reversed(MUTATIONS), None]
    running: dict[int, tuple[str, int]] = {}
    found: dict[str, str] = {}
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            mutation = waiting.pop()
            pid, reading = _fork(mutation, unchanged_schedules if mutation is None else schedules)
            running[reading] = ("" if mutation is None else mutation.name, pid)
        for ready in wait(list(running)):
            assert isinstance(ready, int)
            name, pid = running.pop(ready)
            with os.fdopen(ready, encoding="utf-8") as pipe:
                verdict = pipe.read()
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            found[name] = "found: it never ends" if code == -signal.SIGXCPU else verdict or f"ended with {code}"
    return found


def _fork(mutation: Mutation | None, schedules: int) -> tuple[int, int]:
    """The process of a core, and where its verdict can be read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S + 1))
        try:
            verdict = verdict_on(mutation, schedules)
        except Exception as error:  # noqa: BLE001 - told in place of a verdict
            verdict = f"no verdict: {error!r}"
        os.write(writing, verdict[:MAX_VERDICT_CHARS].encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(verdicts(int(sys.argv[1]), int(sys.argv[2]))))
