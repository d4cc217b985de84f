"""`make soak`: a thousand random schedules of faults against the whole program, and an hour of driving. Virtual time.

`python -m benchmarks.soak_faults [--schedules N] [--first SEED] [--hours H]`. A failure prints the
seed that reproduces it: `--seed SEED`.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import statistics
import sys
import time
from collections import Counter

from tests.faults.long_drive import drive_long
from tests.faults.random_faults import FAULT_KINDS, FaultRun, run_random_faults

SCHEDULES = 1_000
HOUR_S = 3600.0
RECOVERED_TIMEOUT_S = 2.0  # in 95 of 100 cases
GROWTH_MIB = 8.0  # what an allocator may retain; a leak of one status a second would be more


def run_one(seed: int) -> tuple[int, FaultRun | str]:
    """Run one schedule; returns its result, or the failure."""
    logging.disable(logging.WARNING)
    try:
        return seed, run_random_faults(seed)
    except Exception as error:  # noqa: BLE001 - a crash is reported with its seed, like a broken rule
        return seed, f"{error!r}; reproduce with --seed {seed}"


def run_schedules(first: int, schedules: int) -> list[FaultRun] | None:
    """Run them on every core, with a line of progress; None if one broke."""
    started = time.monotonic()
    results: list[FaultRun] = []
    with multiprocessing.Pool(os.cpu_count(), maxtasksperchild=100) as pool:
        for _seed, result in pool.imap_unordered(run_one, range(first, first + schedules)):
            if isinstance(result, str):
                print(f"\nbroken: {result}")
                return None
            results.append(result)
            rate = len(results) / (time.monotonic() - started)
            print(f"\r{len(results):,} of {schedules:,} schedules held, {rate:.1f} a second ", end="", flush=True)
    print()
    return results


def report(results: list[FaultRun]) -> bool:
    """Print which faults occurred and how soon units recovered; False if a kind is missing or recovery too slow."""
    met = sum((life.met for life in results), Counter[str]())
    print("met: " + ", ".join(f"{count:,} x {what}" for what, count in met.most_common()))
    by_kind = {kind: sorted(s for life in results for one, s in life.recoveries if one == kind) for kind in FAULT_KINDS}
    for kind, seconds in by_kind.items():
        if seconds:
            print(f"  after {kind:8} {len(seconds):6,} recoveries: {figures(seconds)}")
    every = sorted(s for seconds in by_kind.values() for s in seconds)
    print(f"  all {len(every):,} recoveries: {figures(every)}; budget for 95 of 100: {RECOVERED_TIMEOUT_S:g} s")
    is_all_met = all(met[kind] for kind in FAULT_KINDS) or len(results) < len(FAULT_KINDS)
    return is_all_met and share(every, 0.95) <= RECOVERED_TIMEOUT_S


def figures(seconds: list[float]) -> str:
    """Median, 95th percentile and maximum of sorted seconds."""
    if not seconds:
        return "no unit was out of reach"
    return f"median {statistics.median(seconds):.2f} s, p95 {share(seconds, 0.95):.2f} s, most {seconds[-1]:.2f} s"


def share(seconds: list[float], of: float) -> float:
    """The value below which this share of sorted values lies; 0 where there are none."""
    return seconds[min(len(seconds) - 1, int(of * len(seconds)))] if seconds else 0.0


def drive_hours(hours: float) -> bool:
    """Drive in virtual time; returns False if memory grew beyond the budget."""
    driven = drive_long(hours * HOUR_S)
    print(
        f"{hours:g} h of driving: {driven.stops:,} stops, none lost, the latest after"
        f" {1000 * driven.latest_stop_s:.0f} ms; memory grew by {driven.growth_mib:.1f} MiB (budget {GROWTH_MIB:g})"
    )
    return driven.growth_mib <= GROWTH_MIB


def main() -> int:
    """Run both; exit status 1 where a rule was broken or a budget was not met."""
    parser = argparse.ArgumentParser(description="Random schedules of faults, and a long drive.")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="run only the schedule with this seed")
    parser.add_argument("--hours", type=float, default=1.0)
    options = parser.parse_args()
    if options.seed is not None:
        life = run_random_faults(options.seed)
        print(f"seed {options.seed}, {life.virtual_s:.0f} s: no rule was broken")
        return 0
    results = run_schedules(options.first, options.schedules)
    if results is None or not report(results):
        return 1
    return 0 if options.hours <= 0 or drive_hours(options.hours) else 1


if __name__ == "__main__":
    sys.exit(main())
