"""Folders with a small Debian in them, made from the package source of this machine, and kept in build/deploy.

They stand for the base of an image where no registry is at hand, and for a computer of another architecture. Making
them needs root.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.deploy import tools

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = tools.BUILD / "debian"


def mirror() -> str:
    """The address from which this machine takes Debian's main packages."""
    wanted = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", wanted, "Identifier: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    for entry in listed.splitlines():
        origin, label, component, address = entry.split("|")
        if (origin, label, component) == ("Debian", "Debian", "main"):
            return address
    raise tools.ToolMissingError("a source of Debian's packages among those of apt")


def system(suite: str, packages: tuple[str, ...]) -> Path:
    """A folder with a system of this architecture: `minbase` and these packages."""
    return _made("system", suite, packages, lambda folder: _debootstrap(folder, suite, packages))


def foreign_system(suite: str, architecture: str, packages: tuple[str, ...]) -> Path:
    """A folder with the files of another architecture's packages, of which none was configured."""

    def make(folder: Path) -> None:
        _debootstrap(folder, suite, packages, f"--arch={architecture}", "--foreign")
        for package in sorted((folder / "var/cache/apt/archives").glob("*.deb")):
            unpacked = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
            command: list[str | Path] = ["tar", "--extract", "--keep-directory-symlink", "--directory", folder]
            subprocess.run(command, stdin=unpacked.stdout, check=True, timeout=120)
            assert unpacked.wait(60) == 0, package.name

    return _made(architecture, suite, packages, make)


def _made(kind: str, suite: str, packages: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """The folder, made unless it was made whole before."""
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    folder = FOLDER / f"{kind}-{suite}-{digest}"
    complete = folder.with_suffix(".complete")
    if not complete.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        make(folder)
        complete.touch()
    return folder


def _debootstrap(folder: Path, suite: str, packages: tuple[str, ...], *options: str) -> None:
    cache = FOLDER / "packages"
    cache.mkdir(parents=True, exist_ok=True)
    command = [tools.debian("debootstrap"), "--variant=minbase", f"--include={','.join(packages)}", *options]
    command += [f"--cache-dir={cache}", suite, str(folder), mirror()]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    log = folder / "debootstrap/debootstrap.log"
    told = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
    assert ended.returncode == 0, f"{ended.stdout[-2000:]}{ended.stderr}{told}"
