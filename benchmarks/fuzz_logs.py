"""One process of the hunt for logs that break the reader, led by which lines of the reader each of them reaches.

    python -m benchmarks.fuzz_logs RUNS SEED FOLDER KEPT

libFuzzer changes what led somewhere new, byte by byte; every third log is made from scratch, because hardly any change
of bytes makes a sound connection. What breaks the reader is left in FOLDER as `crash-…`, `timeout-…` or `oom-…`; the
exit status is not 0 then. What led somewhere new is in KEPT, for the next process.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random

import atheris
from tests.support.captures.malformed_logs import malformed_log

with atheris.instrument_imports(include=["belvedere.lab"]):
    from benchmarks.soak_logs import LONGEST_S, MOST_MIB, is_readable

LONGEST_BYTES = 4096
FROM_SCRATCH = 1 / 3
MEMORY = Path("/dev/shm")  # noqa: S108 - a million files are not to wear out a disk


def main(runs: str, seed: str, folder: str, kept: str) -> None:
    """Run; ends the process."""
    counts = {True: 0, False: 0}
    log = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None)) / "odd.log"

    def read(content: bytes) -> None:
        counts[is_readable(content, log)] += 1
        if sum(counts.values()) == int(runs):
            log.unlink()
            log.parent.rmdir()
            print(f"read {counts[True]} refused {counts[False]}", flush=True)

    def change(content: bytes, longest: int, chance: int) -> bytes:
        made = Random(chance)
        return malformed_log(made)[:longest] if made.random() < FROM_SCRATCH else atheris.Mutate(content, longest)

    flags = [
        *(f"-runs={runs}", f"-seed={seed}", f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={folder}/"),
        *(f"-timeout={LONGEST_S:.0f}", f"-rss_limit_mb={MOST_MIB:.0f}"),
    ]
    atheris.Setup([sys.argv[0], *flags, kept], read, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
