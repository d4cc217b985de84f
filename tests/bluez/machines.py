"""Builds and boots a machine for each generation of BlueZ, runs the scenarios in it, and reports their results.

    python -m tests.bluez.machines [--everything] [--machine trixie] [arguments for pytest, such as -k vanish]

Without arguments, all scenarios run on the newest BlueZ, and on the older one those that depend on its version, which
are marked `every_bluez`. With `--everything` all run on both, and with other arguments those that they select.

Runs on the computer that boots the machines; everything else in this folder runs inside them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.support.outcomes import closing_line, is_success
from tests.support.virtual_machines import ROOT, MachineTests

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OUT = ROOT / "build/bluez"
NEWEST = "trixie"
MACHINES = {NEWEST: "BlueZ 5.82, Python 3.13", "bookworm": "BlueZ 5.66, Python 3.11"}
ON_OLDER = ["-m", "every_bluez"]


def main(arguments: list[str]) -> int:
    """Run everything; 0 if every scenario passed in every machine."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--machine", choices=MACHINES, action="append")
    parser.add_argument("--everything", action="store_true")
    chosen, rest = parser.parse_known_args(arguments)
    began = time.monotonic()
    counts: Counter[str] = Counter()
    results: dict[str, object] = {}
    for name in chosen.machine or MACHINES:
        folder = OUT / name
        counted = counts_of_run(name, folder, rest if arguments or name == NEWEST else ON_OLDER)
        counts += counted
        results[name] = {**counted, "found": findings(folder / "findings.json")}
    (OUT / "results.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    for line in latency_lines(results):
        print_line(line)
    print_line(closing_line(counts, time.monotonic() - began))
    return 0 if is_success(counts) else 1


def counts_of_run(name: str, folder: Path, rest: list[str]) -> Counter[str]:
    """Boot one machine, run pytest in it, and count the outcomes; a machine that fails counts as an error."""
    print_line(f"\n{name}: {MACHINES[name]}")
    (folder / "findings.json").unlink(missing_ok=True)
    return MachineTests(name, folder, "tests/bluez", "BELVEDERE_BLUEZ").counts(rest)


def findings(path: Path) -> dict[str, object]:
    """The measurements of a machine, if it wrote any."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def latency_lines(results: dict[str, object]) -> Iterable[str]:
    """The measurements, one a line."""
    for name, result in results.items():
        assert isinstance(result, dict)
        for what, value in result["found"].items():
            yield f"{name}: {what}: {value}"


def print_line(line: str) -> None:
    """Print a line at once: the machines write to the same output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
