"""Fuzzes what somebody without a session can send, guided by code coverage.

    python -m benchmarks.fuzz_parsers RUNS SEED

libFuzzer mutates inputs that reached new code, and gives each to one parser, which the first byte chooses. An error
that a parser's caller does not expect ends the process with a status other than 0, and prints the input.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter

import atheris

with atheris.instrument_imports(
    include=["belvedere.access", "belvedere.gateway.security", "belvedere.gateway.languages"]
):
    from tests.fuzz.parsers import PARSERS

from tests.fuzz.test_parsers import SEEDS

MAX_BYTES = 8192
MAX_SECONDS = 5


def main(runs: str, seed: str) -> None:
    """Run; ends the process."""
    logging.disable()  # what is refused is logged
    names = list(PARSERS)
    counts: Counter[str] = Counter()

    def parse(content: bytes) -> None:
        name = names[(content[0] if content else 0) % len(names)]
        counts[name] += 1
        try:
            PARSERS[name].parse(content[1:])
        except PARSERS[name].refusals:
            counts["refused"] += 1
        if sum(counts.values()) - counts["refused"] == int(runs):
            print(*(f"{name}: {number}" for name, number in sorted(counts.items())), sep="\n", flush=True)

    def mutate(content: bytes, max_bytes: int, seed: int) -> bytes:
        if seed % 100 == 0:  # begin anew with something valid
            return (bytes([seed % 251]) + SEEDS[seed // 100 % len(SEEDS)])[:max_bytes]
        changed: bytes = atheris.Mutate(content, max_bytes)
        return changed

    flags = [f"-runs={runs}", f"-seed={seed}", f"-max_len={MAX_BYTES}", f"-timeout={MAX_SECONDS}"]
    atheris.Setup([sys.argv[0], *flags], parse, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
