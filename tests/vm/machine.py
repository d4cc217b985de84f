"""Builds and boots the machine with virtual cameras, and runs the tests of this folder in it.

    python -m tests.vm.machine [arguments for pytest in the machine, such as -k unplug]

Runs on the computer that boots the machine; everything else in this folder runs inside it.
"""

from __future__ import annotations

import json
import sys
import time

from tests.support.outcomes import closing_line, is_success
from tests.support.virtual_machines import ROOT, MachineTests

FOLDER = ROOT / "build/vm"
FINDINGS = FOLDER / "findings.json"


def main(arguments: list[str]) -> int:
    """Run everything; 0 if every test passed."""
    began = time.monotonic()
    FINDINGS.unlink(missing_ok=True)
    counts = MachineTests("camera", FOLDER, "tests/vm", "BELVEDERE_VM").counts(arguments)
    if FINDINGS.is_file():
        for what, value in json.loads(FINDINGS.read_text(encoding="utf-8")).items():
            sys.stdout.write(f"{what}: {value}\n")
    sys.stdout.write(f"{closing_line(counts, time.monotonic() - began)}\n")
    return 0 if is_success(counts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
