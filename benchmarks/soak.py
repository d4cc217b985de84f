"""`make soak`: a million random lives of the fail-safe core, on every core of the machine.

`python -m benchmarks.soak [--schedules N] [--steps N] [--first SEED]`. Whatever breaks prints the seed that shows it
again, with its traceback: `--seed SEED`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from random import Random

from belvedere.testing.control_world import run_random_schedule

SCHEDULES = 1_000_000
STEPS = 40
BATCH = 2_000  # about a second and a half of work


def run_batch(batch: tuple[int, int, int]) -> tuple[int, str]:
    """Run the schedules of seeds from the first up to the last; returns how many held, and what broke the next one."""
    first, last, steps = batch
    for seed in range(first, last):
        try:
            run_random_schedule(Random(seed), steps)
        except Exception as error:  # noqa: BLE001 - a crash is as bad as a broken rule, and needs its seed as much
            return seed - first, f"{error!r}; again with --seed {seed} --steps {steps}"
    return last - first, ""


def batches(first: int, schedules: int, steps: int) -> list[tuple[int, int, int]]:
    """Cut the work into pieces small enough for a progress line."""
    end = first + schedules
    return [(start, min(start + BATCH, end), steps) for start in range(first, end, BATCH)]


def main() -> int:
    """Run, with a line of progress; exit status 1 at the first broken rule."""
    parser = argparse.ArgumentParser(description="Random lives of the fail-safe core.")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one only")
    options = parser.parse_args()
    if options.seed is not None:
        run_random_schedule(Random(options.seed), options.steps)
        print(f"seed {options.seed}, {options.steps} steps: no rule was broken")
        return 0
    started, held = time.monotonic(), 0
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for count, broken in pool.imap_unordered(run_batch, batches(options.first, options.schedules, options.steps)):
            held += count
            rate = held / (time.monotonic() - started)
            print(f"\r{held:,} of {options.schedules:,} schedules held, {rate:,.0f} a second ", end="", flush=True)
            if broken:
                print(f"\nbroken: {broken}")
                return 1
    print(f"\n{held:,} schedules of {options.steps} steps, seeds from {options.first}: no rule was broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
