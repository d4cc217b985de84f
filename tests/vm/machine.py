"""Builds and boots a machine with virtual cameras, or one with systemd, and runs the tests of each in it.

    python -m tests.vm.machine [--machine camera] [arguments for pytest in the machine, such as -k unplug]

Runs on the computer that boots the machines; the tests in this folder and in tests/systemd run inside them. Without
`--machine` only the cameras' boots. `namespaces` is a real systemd on this computer's kernel: it takes two minutes, and
needs root. `systemd` runs the same tests on a kernel of its own, with a real BlueZ; emulated, it is slow, and on a busy
computer a restart of the service has failed in it. Several can be named, and run at once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.outcomes import closing_line, is_success
from tests.support.virtual_machines import ROOT, MachineTests

from belvedere import __version__

MACHINES = {
    "camera": MachineTests("camera", ROOT / "build/vm", "tests/vm", "BELVEDERE_VM"),
    "systemd": MachineTests("systemd", ROOT / "build/systemd", "tests/systemd", "BELVEDERE_SYSTEMD"),
    "namespaces": MachineTests(
        "systemd", ROOT / "build/namespaces", "tests/systemd", "BELVEDERE_SYSTEMD", "scripts/namespaces-machine"
    ),
}
DEFAULT = ("camera",)
OLDER = "0.0.1"  # than every version, for upgrades
IN_A_SOURCE_DISTRIBUTION = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")


def main(arguments: list[str]) -> int:
    """Run everything; 0 if every test passed."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--machine", choices=MACHINES, action="append")
    chosen, rest = parser.parse_known_args(arguments)
    machines = [MACHINES[name] for name in chosen.machine or DEFAULT]
    began = time.monotonic()
    for machine in machines:
        (machine.folder / "findings.json").unlink(missing_ok=True)
    if not all(machine.build() for machine in machines):
        return 1
    for machine in machines:
        if machine.machine == "systemd":
            build_wheels(machine.folder / "wheels")
    with ThreadPoolExecutor(len(machines)) as pool:
        counts = sum(pool.map(lambda machine: counts_of(machine, rest), machines), Counter[str]())
    print_line(closing_line(counts, time.monotonic() - began))
    return 0 if is_success(counts) else 1


def counts_of(machine: MachineTests, arguments: list[str]) -> Counter[str]:
    """Run the tests of a machine and count the outcomes; print all of its output when it has ended."""
    with tempfile.TemporaryFile() as output:
        counts = machine.counts(arguments, output)
        output.seek(0)
        found = machine.folder / "findings.json"
        findings = json.loads(found.read_text(encoding="utf-8")) if found.is_file() else {}
        lines = [output.read().decode(errors="replace"), *(f"{what}: {value}" for what, value in findings.items())]
    print_line("\n".join(lines))
    return counts


def build_wheels(folder: Path) -> None:
    """Build a wheel of this clone with its own version, and the same with an older one, from which to upgrade."""
    shutil.rmtree(folder, ignore_errors=True)
    for version in (__version__, OLDER):
        with tempfile.TemporaryDirectory() as temporary:
            project = Path(temporary)
            shutil.copytree(ROOT / "src", project / "src", ignore=shutil.ignore_patterns("__pycache__"))
            for name in IN_A_SOURCE_DISTRIBUTION:
                shutil.copy(ROOT / name, project)
            module = project / "src/belvedere/__init__.py"
            text = module.read_text(encoding="utf-8")
            module.write_text(text.replace(f'"{__version__}"', f'"{version}"'), encoding="utf-8")
            # As in a source distribution, so that the page is taken as it is, and not built again.
            head = f"Metadata-Version: 2.4\nName: belvedere\nVersion: {version}\n"
            (project / "PKG-INFO").write_text(head, encoding="utf-8")
            command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
            subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)


def print_line(line: str) -> None:
    """Print a line at once: the machines write to the same output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
