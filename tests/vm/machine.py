"""Builds and boots the machine with virtual cameras, and runs the tests of this folder in it.

    python -m tests.vm.machine [arguments for pytest in the machine, such as -k unplug]

Runs on the computer that boots the machine; everything else in this folder runs inside it.
"""

from __future__ import annotations

import sys
import time

from tests.support.outcomes import closing_line, is_success
from tests.support.virtual_machines import ROOT, MachineTests


def main(arguments: list[str]) -> int:
    """Run everything; 0 if every test passed."""
    began = time.monotonic()
    counts = MachineTests("camera", ROOT / "build/vm", "tests/vm", "BELVEDERE_VM").counts(arguments)
    sys.stdout.write(f"{closing_line(counts, time.monotonic() - began)}\n")
    return 0 if is_success(counts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
