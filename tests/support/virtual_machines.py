"""Runs tests in the virtual machines that scripts/virtual-machine builds and boots."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.outcomes import counts_of

ROOT = Path(__file__).parents[2]
SCRIPT = "scripts/virtual-machine"
REPORT = "junit.xml"


@dataclass(frozen=True, slots=True)
class MachineTests:
    """Tests that run inside a machine.

    Attributes:
        machine: its name in the script.
        folder: for what the machine writes, which is `/out` there.
        tests: the folder of its tests.
        variable: the environment variable that names `/out` to them, by which they know that they are inside.
        script: builds and boots it; another one in tests.
    """

    machine: str
    folder: Path
    tests: str
    variable: str
    script: str = SCRIPT

    def build(self) -> bool:
        """Build the machine, unless it exists; returns whether it does now."""
        return subprocess.run([self.script, "build", self.machine], cwd=ROOT, check=False).returncode == 0

    def counts(self, arguments: list[str], output: IO[bytes] | None = None) -> Counter[str]:
        """Build, boot, run pytest with these arguments, and count the outcomes; a machine that fails is an error.

        What pytest prints goes to `output`, by default to where everything goes.
        """
        (self.folder / REPORT).unlink(missing_ok=True)
        if not self.build():
            return Counter(errors=1)
        command = [self.script, "run", self.machine, str(self.folder), *self.pytest, *arguments]
        ran = subprocess.run(command, cwd=ROOT, check=False, stdout=output)
        return counts_of(ran.returncode, self.folder / REPORT)

    @property
    def pytest(self) -> list[str]:
        """What runs inside the machine."""
        return [
            *("env", f"{self.variable}=/out"),
            *("python3", "-m", "pytest", "-c", "/repo/pyproject.toml", "--rootdir", "/repo", "-p", "no:cacheprovider"),
            *("-o", "faulthandler_timeout=0"),  # the script that boots the machine has a limit for each test
            *("--color=no", f"--junitxml=/out/{REPORT}", "--durations=8", self.tests),
        ]
