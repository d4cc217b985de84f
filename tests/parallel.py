"""Runs all Python tests, as `make test-python` does.

    python -m tests.parallel [arguments for pytest]

Tests in virtual time compute, and most tests on the real clock wait; so the first run in one pytest, and the others
beside it in two. After these the tests that drive a browser run; what is left of those in virtual time then gets only
the processor time that nobody else wants. Tests that measure delays run last, when nothing else does. Those that need
other people's programs are left to `make test-interop` and `make test-deploy`. With arguments, one pytest runs what
they select.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.support.outcomes import closing_line, counts_of, is_success

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build/tests"
VIRTUAL = "not (realtime or alone or browser or interop or deploy)"
REALTIME = "realtime and not (alone or browser or interop or deploy)"
BROWSER = "browser and not (alone or interop or deploy)"
ALONE = "alone and not (interop or deploy)"
OF_MACHINES = {"bluez", "systemd", "vm"}  # folders of tests that run in virtual machines, by commands of their own
LOWEST_PRIORITY = 19


class Part:
    """One pytest with the tests of a marker expression; it prints its output at once, or when that is asked for.

    A context manager: at the end of the block it is ended, if it still runs.

    Args:
        files: the test modules; None for all, and without any nothing is run.
    """

    def __init__(self, name: str, markers: str, files: list[str] | None = None, *, is_shown: bool) -> None:
        self._report = OUT / f"{name}.xml"
        self._report.unlink(missing_ok=True)
        self._log = None if is_shown else OUT / f"{name}.log"
        command = [sys.executable, "-m", "pytest", "-m", markers, f"--junitxml={self._report}", *(files or [])]
        command += ["-p", "no:cacheprovider"]  # two would write the cache at the same time
        self._process: subprocess.Popen[bytes] | None = None
        if files == []:
            return
        if self._log is None:
            self._process = subprocess.Popen(command, cwd=ROOT)
        else:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def give_way(self) -> None:
        """Let it have only the processor time that nobody else wants."""
        if self._process is not None and self._process.poll() is None:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, LOWEST_PRIORITY)

    def wait(self) -> Counter[str]:
        """Wait until it has ended, and count the outcomes."""
        return Counter() if self._process is None else counts_of(self._process.wait(), self._report)

    def show(self) -> None:
        """Print what it said, if that was not shown at once."""
        if self._log is not None and self._process is not None:
            print_at_once(self._log.read_text(encoding="utf-8", errors="replace"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def main(arguments: list[str]) -> int:
    """Run the tests; returns 0 if all passed."""
    if arguments:
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    OUT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    realtime = files_with("realtime")
    with ExitStack() as stack:
        virtual = stack.enter_context(Part("virtual", VIRTUAL, is_shown=True))
        beside = [
            stack.enter_context(Part(f"realtime-{number}", REALTIME, realtime[number::2], is_shown=False))
            for number in range(2)
        ]
        counts = sum((part.wait() for part in beside), Counter[str]())
        virtual.give_way()
        beside.append(stack.enter_context(Part("browser", BROWSER, files_with("browser"), is_shown=False)))
        counts += beside[-1].wait() + virtual.wait()
        for part in beside:
            part.show()
        counts += stack.enter_context(Part("alone", ALONE, files_with("alone"), is_shown=True)).wait()
    print_at_once(closing_line(counts, time.monotonic() - began))
    return 0 if is_success(counts) else 1


def files_with(marker: str) -> list[str]:
    """The test modules that name this marker, which every one that has it does (`tests/conftest.py` checks it)."""
    tests = ROOT / "tests"
    modules = (path for path in sorted(tests.rglob("test_*.py")) if path.relative_to(tests).parts[0] not in OF_MACHINES)
    return [str(path) for path in modules if f"mark.{marker}" in path.read_text(encoding="utf-8")]


def print_at_once(text: str) -> None:
    """Print before what a child process prints next."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
