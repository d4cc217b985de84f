"""`make soak`: a million odd Bluetooth logs, each of which must be read, or refused in one line, in time and memory.

    python -m benchmarks.soak_logs [--logs N] [--first SEED]

On every core, by a fuzzer that sees which lines of the reader a log reaches (`fuzz_logs`); where there is none for the
machine, by chance alone. Whatever breaks the reader is kept, and read again with `--file`, or with `--seed`.
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

from belvedere.errors import OwnerError
from belvedere.lab.logs.analysis import LogAnalysis
from belvedere.testing.odd_logs import odd_log

LOGS = 1_000_000
BATCH = 2_000
LONGEST_S = 2.0  # a log of a few hundred bytes takes a millisecond; a busy machine may take this
MOST_MIB = 700.0  # numpy, the fuzzer and what it keeps; a length that is believed would ask for gigabytes
ROUND = 40_000  # logs for one process, because the fuzzer's eyes leak 7 kB a log, and the reader without them nothing
FEWEST = 1 / 50  # of the logs must be read, and of them refused: else the other half of the reader is not tried
FOUND = Path("build/soak")
PROGRESS = re.compile(r"#(\d+)\t\w+ +cov: (\d+)")
COUNTS = re.compile(r"read (\d+) refused (\d+)")


def is_readable(content: bytes, path: Path) -> bool:
    """Read one log in all ways, as the file `path`. Raises whatever comes of it but a refusal of one line."""
    path.write_bytes(content)
    began = time.monotonic()
    try:
        LogAnalysis(path).streams(limit=1000)
    except OwnerError as error:
        if "\n" in str(error):
            raise AssertionError("refused in more than one line") from error
        return False
    finally:
        if time.monotonic() - began > LONGEST_S:
            raise AssertionError(f"took {time.monotonic() - began:.1f} s")
    return True


class Hunt:
    """The fuzzer's processes, one for each core, and what they have told."""

    def __init__(self, logs: int, first: int) -> None:
        self._cores = os.cpu_count() or 1
        self._each = -(-logs // self._cores)
        self._first = first
        self._done = [0] * self._cores
        self._reached = [0] * self._cores
        self._was_read = [0] * self._cores
        self._refused = [0] * self._cores

    def run(self) -> bool:
        """Run to the end; whether nothing was found, and both halves of the reader were tried."""
        FOUND.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(self._cores) as threads:
            statuses = list(threads.map(self._follow, range(self._cores)))
        was_read, refused = sum(self._was_read), sum(self._refused)
        print(f"\n{was_read:,} odd logs read, {refused:,} refused, {max(self._reached):,} branches reached")
        if any(statuses):
            print(f"broken; see {FOUND}, and read again with --file")
            return False
        print("nothing was found")
        return min(was_read, refused) > (was_read + refused) * FEWEST

    def _follow(self, core: int) -> int:
        """Let one core do its share, in rounds; returns the first status that is not 0."""
        with tempfile.TemporaryDirectory() as kept, (FOUND / f"fuzzer-{core}.log").open("w", encoding="utf-8") as log:
            for before in range(0, self._each, ROUND):
                seed = self._first + 1 + before * self._cores + core  # libFuzzer takes 0 for chance
                runs = min(ROUND, self._each - before)
                command = [sys.executable, "-m", "benchmarks.fuzz_logs", str(runs), str(seed), str(FOUND), kept]
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
                    for line in process.stdout or ():
                        log.write(line)
                        self._receive(core, before, line)
                if process.returncode:
                    return process.returncode
        return 0

    def _receive(self, core: int, before: int, line: str) -> None:
        if on_progress := COUNTS.search(line):
            self._was_read[core] += int(on_progress[1])
            self._refused[core] += int(on_progress[2])
        if on_progress := PROGRESS.match(line):
            self._done[core], self._reached[core] = before + int(on_progress[1]), int(on_progress[2])
            print(f"\r{sum(self._done):,} odd logs, {max(self._reached):,} branches ", end="", flush=True)


def read_batch(seeds: range) -> tuple[int, int, str]:
    """How many logs were read and refused, and what broke the next one."""
    was_read = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            try:
                is_read = is_readable(odd_log(Random(seed)), Path(folder) / "odd.log")
            except Exception as error:  # noqa: BLE001 - whatever it is, it needs its seed
                return was_read, refused, f"{error!r}; again with --seed {seed}"
            was_read, refused = was_read + is_read, refused + (not is_read)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return was_read, refused, f"memory grew to {mib:.0f} MiB by seed {seeds[-1]}" if mib > MOST_MIB else ""


def soak(logs: int, first: int) -> bool:
    """By chance alone; whether nothing was found, and both halves of the reader were tried."""
    started, was_read, refused = time.monotonic(), 0, 0
    end = first + logs
    batches = [range(start, min(start + BATCH, end)) for start in range(first, end, BATCH)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for read_now, refused_now, broken in pool.imap_unordered(read_batch, batches):
            was_read, refused = was_read + read_now, refused + refused_now
            rate = (was_read + refused) / (time.monotonic() - started)
            print(f"\r{was_read:,} odd logs read, {refused:,} refused, {rate:,.0f} a second ", end="", flush=True)
            if broken:
                print(f"\nbroken: {broken}")
                return False
    print(f"\nseeds from {first}: nothing was found")
    return min(was_read, refused) > logs * FEWEST


def main() -> int:
    """Run with a line of progress; exit status 1 where a log breaks the reader."""
    parser = argparse.ArgumentParser(description="Odd Bluetooth logs.")
    parser.add_argument("--logs", type=int, default=LOGS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="read this one only, as chance makes it")
    parser.add_argument("--file", type=Path, help="read this one only")
    options = parser.parse_args()
    if options.seed is not None or options.file is not None:
        content = odd_log(Random(options.seed)) if options.file is None else options.file.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            print("read" if is_readable(content, Path(folder) / "odd.log") else "refused")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("there is no atheris for this machine, so the odd logs are made by chance alone")
        is_sound = soak(options.logs, options.first)
    else:
        is_sound = Hunt(options.logs, options.first).run()
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
