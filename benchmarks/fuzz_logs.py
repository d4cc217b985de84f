"""One process of the fuzz test of the log reader, guided by the reader's code coverage.

    python -m benchmarks.fuzz_logs RUNS SEED FOLDER CORPUS

libFuzzer mutates inputs that reached new code; every third log is generated from scratch, because mutating bytes hardly
ever yields a valid connection. Inputs that break the reader are written to FOLDER as `crash-…`, `timeout-…` or `oom-…`,
and the exit status is not 0. Inputs that reached new code are kept in CORPUS, for the next process.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random

import atheris
from tests.support.captures.malformed_logs import malformed_log

with atheris.instrument_imports(include=["belvedere.lab"]):
    from benchmarks.soak_logs import MAX_MIB, MAX_SECONDS, is_readable

MAX_BYTES = 4096
GENERATED_SHARE = 1 / 3
MEMORY = Path("/dev/shm")  # noqa: S108 - a million files would wear out a disk


def main(runs: str, first_seed: str, folder: str, corpus: str) -> None:
    """Run; ends the process."""
    counts = {True: 0, False: 0}
    log = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None)) / "odd.log"

    def read(content: bytes) -> None:
        counts[is_readable(content, log)] += 1
        if sum(counts.values()) == int(runs):
            log.unlink()
            log.parent.rmdir()
            print(f"read {counts[True]} rejected {counts[False]}", flush=True)

    def mutate(content: bytes, max_bytes: int, seed: int) -> bytes:
        random = Random(seed)
        return (
            malformed_log(random)[:max_bytes]
            if random.random() < GENERATED_SHARE
            else atheris.Mutate(content, max_bytes)
        )

    flags = [
        *(f"-runs={runs}", f"-seed={first_seed}", f"-max_len={MAX_BYTES}", f"-artifact_prefix={folder}/"),
        *(f"-timeout={MAX_SECONDS:.0f}", f"-rss_limit_mb={MAX_MIB:.0f}"),
    ]
    atheris.Setup([sys.argv[0], *flags, corpus], read, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
