"""Runs all Python tests, as `make test-python` does.

    python -m tests.parallel [arguments for pytest]

Tests in virtual time compute, and most tests on the real clock wait; so the two kinds run at the same time, each in a
pytest of its own. Tests that measure delays or drive a browser run afterwards, when nothing else does; those that need
other people's programs are left to `make test-interop` and `make test-deploy`. With arguments, one pytest runs the
tests that they select.
"""

from __future__ import annotations

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
ALONE = "(alone or browser) and not (interop or deploy)"
REALTIME = "realtime and not (alone or browser or interop or deploy)"
VIRTUAL = "not (realtime or alone or browser or interop or deploy)"


class Part:
    """One pytest with the tests of a marker expression; it prints its output at once, or when it has ended.

    A context manager: at the end of the block it is ended, if it still runs.
    """

    def __init__(self, name: str, markers: str, *, is_shown: bool) -> None:
        self._report = OUT / f"{name}.xml"
        self._report.unlink(missing_ok=True)
        self._log = None if is_shown else OUT / f"{name}.log"
        command = [sys.executable, "-m", "pytest", "-m", markers, f"--junitxml={self._report}"]
        command += ["-p", "no:cacheprovider"]  # two would write the cache at the same time
        if self._log is None:
            self._process = subprocess.Popen(command, cwd=ROOT)
        else:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def wait(self) -> Counter[str]:
        """Wait until it has ended, and count the outcomes."""
        status = self._process.wait()
        if self._log is not None:
            print_at_once(self._log.read_text(encoding="utf-8", errors="replace"))
        return counts_of(status, self._report)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def main(arguments: list[str]) -> int:
    """Run the tests; returns 0 if all passed."""
    if arguments:
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    OUT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    counts = Counter[str]()
    with ExitStack() as stack:
        together = [Part("virtual", VIRTUAL, is_shown=True), Part("realtime", REALTIME, is_shown=False)]
        for part in together:
            stack.enter_context(part)
        for part in together:
            counts += part.wait()
        counts += stack.enter_context(Part("alone", ALONE, is_shown=True)).wait()
    print_at_once(closing_line(counts, time.monotonic() - began))
    return 0 if is_success(counts) else 1


def print_at_once(text: str) -> None:
    """Print before what a child process prints next."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
