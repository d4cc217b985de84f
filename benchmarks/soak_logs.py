"""`make soak`: a million odd Bluetooth logs, each of which must be read, or refused in one line, in time and memory.

`python -m benchmarks.soak_logs [--logs N] [--first SEED]`. Whatever breaks prints the seed that shows it again:
`--seed SEED`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from belvedere.errors import OwnerError
from belvedere.lab.logs.survey import Survey
from belvedere.testing.odd_logs import odd_log

LOGS = 1_000_000
BATCH = 2_000
LONGEST_S = 2.0  # a log of a few hundred bytes takes a millisecond; a busy machine may take this
MOST_MIB = 300.0  # numpy and all that was ever learned; a length that is believed would ask for gigabytes


def read(seed: int, path: Path) -> bool:
    """Read one log in all ways; whether it could be read. Raises whatever else comes of it."""
    path.write_bytes(odd_log(Random(seed)))
    began = time.monotonic()
    try:
        Survey(path).streams(limit=1000)
    except OwnerError as error:
        if "\n" in str(error):
            raise AssertionError("refused in more than one line") from error
        return False
    finally:
        if time.monotonic() - began > LONGEST_S:
            raise AssertionError(f"took {time.monotonic() - began:.1f} s")
    return True


def read_batch(seeds: range) -> tuple[int, int, str]:
    """How many logs were read and refused, and what broke the next one."""
    was_read = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            try:
                is_read = read(seed, Path(folder) / "odd.log")
            except Exception as error:  # noqa: BLE001 - whatever it is, it needs its seed
                return was_read, refused, f"{error!r}; again with --seed {seed}"
            was_read, refused = was_read + is_read, refused + (not is_read)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return was_read, refused, f"memory grew to {mib:.0f} MiB by seed {seeds[-1]}" if mib > MOST_MIB else ""


def main() -> int:
    """Run on every core, with a line of progress; exit status 1 at the first log that breaks the reader."""
    parser = argparse.ArgumentParser(description="Odd Bluetooth logs.")
    parser.add_argument("--logs", type=int, default=LOGS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="read this one only")
    options = parser.parse_args()
    if options.seed is not None:
        with tempfile.TemporaryDirectory() as folder:
            print("read" if read(options.seed, Path(folder) / "odd.log") else "refused")
        return 0
    started, was_read, refused = time.monotonic(), 0, 0
    end = options.first + options.logs
    batches = [range(start, min(start + BATCH, end)) for start in range(options.first, end, BATCH)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for read_now, refused_now, broken in pool.imap_unordered(read_batch, batches):
            was_read, refused = was_read + read_now, refused + refused_now
            rate = (was_read + refused) / (time.monotonic() - started)
            print(f"\r{was_read:,} odd logs read, {refused:,} refused, {rate:,.0f} a second ", end="", flush=True)
            if broken:
                print(f"\nbroken: {broken}")
                return 1
    print(f"\n{was_read + refused:,} odd logs, seeds from {options.first}: nothing was found")
    return 0 if min(was_read, refused) > options.logs / 50 else 1


if __name__ == "__main__":
    sys.exit(main())
