"""`make soak`: a million drawn app sessions; no draft may have a stop that no release sent, or take two axes for one.

    python -m benchmarks.soak_drafts [--draws N] [--first SEED]

On every core. A session that breaks the rule is printed with its seed; `--seed` repeats one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time

from tests.lab.drawn_sessions import judge_draw

DRAWS = 1_000_000
BATCH = 500


def judge_batch(seeds: range) -> tuple[int, str]:
    """How many of these draws ended with a draft, and what is wrong with the first wrong one, or ""."""
    drafted = 0
    for seed in seeds:
        try:
            drafted += judge_draw(seed)
        except Exception as error:  # noqa: BLE001 - reported with its seed
            return drafted, f"seed {seed}: {error!r}"
    return drafted, ""


def soak(draws: int, first: int) -> bool:
    """Judge so many draws; True if nothing was wrong."""
    began_s, done, drafted = time.monotonic(), 0, 0
    batches = [range(start, min(start + BATCH, first + draws)) for start in range(first, first + draws, BATCH)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for batch, (count, failure) in zip(batches, pool.imap(judge_batch, batches), strict=True):
            done, drafted = done + len(batch), drafted + count
            rate = done / (time.monotonic() - began_s)
            print(f"\r{done:,} sessions, {drafted:,} drafts, {rate:,.0f} a second ", end="", flush=True)
            if failure:
                print(f"\nfailed: {failure}")
                return False
    print(f"\nno wrong stop; {done - drafted:,} of {done:,} sessions ended without a draft")
    return True


def main() -> int:
    """Run, printing progress; returns 1 if a draft is wrong."""
    parser = argparse.ArgumentParser(description="Draft profiles of drawn app sessions.")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="judge only this draw")
    options = parser.parse_args()
    if options.seed is not None:
        return 0 if soak(1, options.seed) else 1
    return 0 if soak(options.draws, options.first) else 1


if __name__ == "__main__":
    sys.exit(main())
