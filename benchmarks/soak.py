"""`make soak`: 300,000 random schedules against the fail-safe core, on every processor core.

`python -m benchmarks.soak [--schedules N] [--steps N] [--first SEED]`: `--first` goes on where an earlier run ended. A
failure prints the seed that reproduces it: `--seed SEED`. At the end it prints how often every kind of cut, refusal and
limit occurred, and fails if one never did: a rule that was not exercised is not tested.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from random import Random

from tests.support.control.random_schedule import missing_events, run_random_schedule

SCHEDULES = 300_000  # some twenty minutes on two slow cores; a schedule of 40 steps makes 180 decisions, each checked
STEPS = 40
BATCH = 500  # about two seconds of work
ENOUGH = 5_000  # this many schedules exercise everything, fewer may not


def run_batch(batch: tuple[int, int, int]) -> tuple[int, Counter[str], str]:
    """Run the schedules of seeds from the first up to the last.

    Returns how many passed, what occurred in them, and how the next one failed, or "".
    """
    first, last, steps = batch
    met: Counter[str] = Counter()
    for seed in range(first, last):
        try:
            met += run_random_schedule(Random(seed), steps).met
        except Exception as error:  # noqa: BLE001 - a crash is reported with its seed, like a broken rule
            return seed - first, met, f"{error!r}; reproduce with --seed {seed} --steps {steps}"
    return last - first, met, ""


def batches(first: int, schedules: int, steps: int) -> list[tuple[int, int, int]]:
    """Cut the work into pieces small enough for a progress line."""
    end = first + schedules
    return [(start, min(start + BATCH, end), steps) for start in range(first, end, BATCH)]


def main() -> int:
    """Run, with a line of progress; exit status 1 at the first broken rule."""
    parser = argparse.ArgumentParser(description="Random schedules against the fail-safe core.")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="run only the schedule with this seed")
    options = parser.parse_args()
    if options.seed is not None:
        run_random_schedule(Random(options.seed), options.steps)
        print(f"seed {options.seed}, {options.steps} steps: no rule was broken")
        return 0
    return soak(options.first, options.schedules, options.steps)


def soak(first: int, schedules: int, steps: int) -> int:
    """Run on every processor core; exit status 1 at the first broken rule, or if something never occurred."""
    started, held = time.monotonic(), 0
    met: Counter[str] = Counter()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for count, met_now, broken in pool.imap_unordered(run_batch, batches(first, schedules, steps)):
            held += count
            met += met_now
            rate = held / (time.monotonic() - started)
            print(f"\r{held:,} of {schedules:,} schedules held, {rate:,.0f} a second ", end="", flush=True)
            if broken:
                print(f"\nbroken: {broken}")
                return 1
    print(f"\n{held:,} schedules of {steps} steps, seeds from {first}: no rule was broken")
    return account(met, held)


def account(met: Counter[str], schedules: int) -> int:
    """Print what occurred how often; exit status 1 if something never did although there were enough schedules."""
    for what, times in sorted(met.items()):
        print(f"{times:>14,}  {what}")
    missing = missing_events(met)
    if missing:
        print(f"never occurred: {', '.join(missing)}")
    return 1 if missing and schedules >= ENOUGH else 0


if __name__ == "__main__":
    sys.exit(main())
