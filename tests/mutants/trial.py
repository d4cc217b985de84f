"""The process in which mutants meet tests: each test runs once, to see what it calls; then a fork for each mutant.

Each mutant meets the tests of its own test module that call the changed function; then those that no test noticed meet
all others that call it. Tests on the real clock are run only where a test module has no others. `run.py` starts this
beside a copy of the tests, with the mutated sources on its path, and tells it by JSON on its standard input what to
try. What came of each mutant goes out as a line of JSON, and what pytest says goes to the standard error.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from itertools import groupby
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OPTIONS = [
    *("-q", "--tb=no", "-m", "not browser", "--hypothesis-profile=ci", "-p", "no:cacheprovider"),
    *("-o", "faulthandler_timeout=0"),  # its thread for each test costs more than most tests do
    "--ignore=tests/faults/test_random.py",  # as long as all other tests together, and meant to find what is rare
]
NOTICED, SURVIVED, HANGS = "noticed", "survived", "hangs"
EXIT_SURVIVED, EXIT_NOTICED = 0, 1
LONGEST_CPU_S, LONGEST_STILL_S, TIMES_AS_LONG = 3, 10.0, 5
LOOK_EVERY_S = 1.0


class Candidate(NamedTuple):
    """A mutant to try."""

    name: str  # mutmut's
    own: str  # the like-named test module
    has_to_be_noticed: bool  # else its own test module alone is asked


class Asked(NamedTuple):
    """What to try."""

    tests: list[str]
    candidates: list[Candidate]
    jobs: int


class Child:
    """The fork that one mutant runs in."""

    def __init__(self, candidate: Candidate, pid: int, usual_s: float) -> None:
        self.candidate = candidate
        self.pid = pid
        self.fd = os.pidfd_open(pid)
        self._may_be_still_s = LONGEST_STILL_S + TIMES_AS_LONG * usual_s
        self._cpu = ""
        self._since = time.monotonic()

    def end_if_it_hangs(self) -> None:
        """Kill it if it sleeps and computes nothing for much longer than its tests take: they need no real time."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        state_letter, cpu = fields[0], " ".join(fields[11:15])
        if cpu != self._cpu or state_letter not in "SZ":
            self._cpu, self._since = cpu, time.monotonic()
        elif time.monotonic() - self._since > self._may_be_still_s:
            os.kill(self.pid, signal.SIGKILL)

    def outcome(self) -> str:
        """What came of it, once it has ended; to crash is to be noticed."""
        os.close(self.fd)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if code in {-signal.SIGKILL, -signal.SIGXCPU}:
            return HANGS
        return SURVIVED if code == EXIT_SURVIVED else NOTICED


class Trial:
    """The pytest plugin that runs all of it, in place of pytest's own loop."""

    def __init__(self, asked: Asked, results: TextIO) -> None:
        self._asked = asked
        self._results = results
        self._has_failed = False
        self._seconds: dict[pytest.Item, float] = {}  # of computing
        self._callers: defaultdict[str, list[pytest.Item]] = defaultdict(list)
        self._running: dict[int, Child] = {}
        self._survivors: list[Candidate] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what takes real time, but for the own tests of a module that has no others."""
        own = {candidate.own for candidate in self._asked.candidates}
        by_file = groupby(items, key=lambda item: item.nodeid.partition("::")[0])
        chosen: list[pytest.Item] = []
        for file, of_file in by_file:
            every = list(of_file)
            virtual = [item for item in every if item.get_closest_marker("realtime") is None]
            chosen += virtual or (every if file in own else [])
        items[:] = chosen

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try every mutant with its own tests, then the survivors with the others."""
        if session.testsfailed:
            raise session.Interrupted("some tests cannot be collected")
        for own, candidates in groupby(self._asked.candidates, key=lambda candidate: candidate.own):
            self._learn([item for item in session.items if is_in(item, own)])
            self._try(candidates, of_own=True)
        if self._survivors:
            self._learn([item for item in session.items if item not in self._seconds])
            survivors, self._survivors = self._survivors, []
            self._try(survivors, of_own=False)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Whether the test that runs has failed, in any of its parts."""
        self._has_failed |= report.failed

    def _learn(self, items: Iterable[pytest.Item]) -> None:
        """Run each with nothing changed, and keep what it calls and how long it takes; none of them may fail so."""
        set_mutant_under_test("stats")
        for item in items:
            called = state()._stats
            called.clear()
            began = time.process_time()
            if self._fails(item, None):
                raise pytest.UsageError(f"{item.nodeid} fails with nothing changed")
            self._seconds[item] = time.process_time() - began
            for function in called:
                self._callers[function].append(item)
        set_mutant_under_test("")
        gc.collect()
        gc.freeze()

    def _fails(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        self._has_failed = False
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return self._has_failed

    def _try(self, candidates: Iterable[Candidate], *, of_own: bool) -> None:
        """Have each meet the tests of its own module or the others that call what it changes, the short ones first."""
        for candidate in candidates:
            known = self._callers[candidate.name.rpartition("__mutmut_")[0]]
            callers = [item for item in known if is_in(item, candidate.own) is of_own]
            if not callers:
                self._tell(candidate, SURVIVED)
                continue
            if len(self._running) == self._asked.jobs:
                self._await_one()
            child = self._fork(candidate, sorted(callers, key=self._seconds.__getitem__))
            self._running[child.fd] = child
        while self._running:
            self._await_one()

    def _fork(self, candidate: Candidate, items: Sequence[pytest.Item]) -> Child:
        usual_s = sum(self._seconds[item] for item in items)
        pid = os.fork()
        if pid:
            return Child(candidate, pid, usual_s)
        code = EXIT_NOTICED
        try:
            set_mutant_under_test(candidate.name)
            is_noticed = any(self._fails_or_takes_long(*pair) for pair in zip(items, [*items[1:], None], strict=True))
            code = EXIT_NOTICED if is_noticed else EXIT_SURVIVED
        finally:
            os._exit(code)

    def _fails_or_takes_long(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        """The same; the process ends if the test computes for much longer than it did with nothing changed."""
        max_cpu_s = int(time.process_time() + LONGEST_CPU_S + TIMES_AS_LONG * self._seconds[item])
        resource.setrlimit(resource.RLIMIT_CPU, (max_cpu_s, resource.RLIM_INFINITY))
        return self._fails(item, following)

    def _await_one(self) -> None:
        """Wait until one child or more have ended."""
        while not (ended := wait(list(self._running), LOOK_EVERY_S)):
            for child in self._running.values():
                child.end_if_it_hangs()
        for fd in ended:
            assert isinstance(fd, int)
            child = self._running.pop(fd)
            self._tell(child.candidate, child.outcome())

    def _tell(self, candidate: Candidate, outcome: str) -> None:
        if outcome == SURVIVED and candidate.has_to_be_noticed:
            self._survivors.append(candidate)
        self._results.write(json.dumps([candidate.name, outcome]) + "\n")
        self._results.flush()


def is_in(item: pytest.Item, test_module: str) -> bool:
    """Whether this is one of the module's tests."""
    return item.nodeid.startswith(f"{test_module}::")


def main() -> int:
    """Do what the standard input asks."""
    tests, candidates, jobs = json.load(sys.stdin)
    asked = Asked(tests, [Candidate(*candidate) for candidate in candidates], jobs)
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as results:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return int(pytest.main([*OPTIONS, *asked.tests], plugins=[Trial(asked, results)]))


if __name__ == "__main__":
    sys.exit(main())
