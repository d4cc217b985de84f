"""`make soak`: a million malformed Bluetooth logs; each must be read or rejected in one line, within time and memory.

    python -m benchmarks.soak_logs [--logs N] [--first SEED]

On every core, with a fuzzer that is guided by code coverage (`fuzz_logs`); where that is not available for the machine,
with random logs only. Inputs that break the reader are kept; `--file` or `--seed` repeats one.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.support.captures.malformed_logs import malformed_log

from belvedere.errors import OwnerError
from belvedere.lab.logs.analysis import LogAnalysis
from belvedere.lab.logs.unpacking import found_log

LOGS = 1_000_000
BATCH = 2_000
MAX_SECONDS = 2.0  # a log of a few hundred bytes takes a millisecond; this allows for a busy machine
MAX_MIB = 700.0  # numpy, the fuzzer and its corpus; trusting a length field would allocate gigabytes
LOGS_PER_PROCESS = 40_000  # because coverage tracing leaks 7 kB per log; without it the reader leaks nothing
MIN_SHARE = 1 / 50  # of logs that are read, and of those rejected: otherwise a part of the reader is not tested
FOUND = Path("build/soak")
PROGRESS = re.compile(r"#(\d+)\t\w+ +cov: (\d+)")
COUNTS = re.compile(r"read (\d+) rejected (\d+)")


def is_readable(content: bytes, path: Path) -> bool:
    """Analyse one log as the file `path`; False if it is rejected in one line. Raises any other error."""
    path.write_bytes(content)
    began = time.monotonic()
    try:
        with found_log(path, path.name) as log:
            LogAnalysis(log.path).streams(limit=1000)
    except OwnerError as error:
        if "\n" in str(error):
            raise AssertionError("rejected in more than one line") from error
        return False
    finally:
        if time.monotonic() - began > MAX_SECONDS:
            raise AssertionError(f"took {time.monotonic() - began:.1f} s")
    return True


class FuzzRun:
    """The fuzzer's processes, one per core, and their progress."""

    def __init__(self, logs: int, first: int) -> None:
        self._cores = os.cpu_count() or 1
        self._each = -(-logs // self._cores)
        self._first = first
        self._done = [0] * self._cores
        self._reached = [0] * self._cores
        self._was_read = [0] * self._cores
        self._rejected = [0] * self._cores

    def run(self) -> bool:
        """Run to the end; True if nothing was found, and enough logs were read and rejected."""
        FOUND.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(self._cores) as threads:
            statuses = list(threads.map(self._follow, range(self._cores)))
        was_read, rejected = sum(self._was_read), sum(self._rejected)
        print(f"\n{was_read:,} malformed logs read, {rejected:,} rejected, {max(self._reached):,} branches reached")
        if any(statuses):
            print(f"failed; see {FOUND}, and repeat with --file")
            return False
        print("nothing was found")
        return min(was_read, rejected) > (was_read + rejected) * MIN_SHARE

    def _follow(self, core: int) -> int:
        """Run the share of one core, one process after the other; returns the first status that is not 0."""
        with tempfile.TemporaryDirectory() as corpus, (FOUND / f"fuzzer-{core}.log").open("w", encoding="utf-8") as log:
            for before in range(0, self._each, LOGS_PER_PROCESS):
                seed = self._first + 1 + before * self._cores + core  # libFuzzer takes 0 as: choose at random
                runs = min(LOGS_PER_PROCESS, self._each - before)
                command = [sys.executable, "-m", "benchmarks.fuzz_logs", str(runs), str(seed), str(FOUND), corpus]
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
                    for line in process.stdout or ():
                        log.write(line)
                        self._receive(core, before, line)
                if process.returncode:
                    return process.returncode
        return 0

    def _receive(self, core: int, before: int, line: str) -> None:
        if match := COUNTS.search(line):
            self._was_read[core] += int(match[1])
            self._rejected[core] += int(match[2])
        if match := PROGRESS.match(line):
            self._done[core], self._reached[core] = before + int(match[1]), int(match[2])
            print(f"\r{sum(self._done):,} malformed logs, {max(self._reached):,} branches ", end="", flush=True)


def read_batch(seeds: range) -> tuple[int, int, str]:
    """How many logs were read and rejected, and what failed on the next one, or ""."""
    was_read = rejected = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            try:
                is_read = is_readable(malformed_log(Random(seed)), Path(folder) / "odd.log")
            except Exception as error:  # noqa: BLE001 - reported with its seed
                return was_read, rejected, f"{error!r}; repeat with --seed {seed}"
            was_read, rejected = was_read + is_read, rejected + (not is_read)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return was_read, rejected, f"memory grew to {mib:.0f} MiB by seed {seeds[-1]}" if mib > MAX_MIB else ""


def soak(logs: int, first: int) -> bool:
    """Use random logs only; True if nothing was found, and enough logs were read and rejected."""
    started, was_read, rejected = time.monotonic(), 0, 0
    end = first + logs
    batches = [range(start, min(start + BATCH, end)) for start in range(first, end, BATCH)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for read_now, rejected_now, failure in pool.imap_unordered(read_batch, batches):
            was_read, rejected = was_read + read_now, rejected + rejected_now
            rate = (was_read + rejected) / (time.monotonic() - started)
            print(
                f"\r{was_read:,} malformed logs read, {rejected:,} rejected, {rate:,.0f} a second ", end="", flush=True
            )
            if failure:
                print(f"\nfailed: {failure}")
                return False
    print(f"\nseeds from {first}: nothing was found")
    return min(was_read, rejected) > logs * MIN_SHARE


def main() -> int:
    """Run, printing progress; returns 1 if a log breaks the reader."""
    parser = argparse.ArgumentParser(description="Fuzz the reader of Bluetooth logs.")
    parser.add_argument("--logs", type=int, default=LOGS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="read only the random log with this seed")
    parser.add_argument("--file", type=Path, help="read only this file")
    options = parser.parse_args()
    if options.seed is not None or options.file is not None:
        content = malformed_log(Random(options.seed)) if options.file is None else options.file.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            print("read" if is_readable(content, Path(folder) / "odd.log") else "rejected")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not available for this machine; using random logs only")
        is_sound = soak(options.logs, options.first)
    else:
        is_sound = FuzzRun(options.logs, options.first).run()
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
