"""Folders with the files of a small Debian, made from the package source of this machine, and kept in build/deploy.

They stand for the base of an image where no registry is at hand, and for a computer of another architecture. The
packages are unpacked and not configured: that is quicker, works for every architecture, and is enough for whoever runs
one program. Making them needs root.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.deploy import tools

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = tools.BUILD / "debian"
DOWNLOAD_S = 600


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


def system(suite: str, architecture: str, packages: tuple[str, ...]) -> Path:
    """The folder with these packages and what they need, made unless it was made whole before."""
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    folder = FOLDER / f"{suite}-{architecture}-{digest}"
    complete = folder.with_suffix(".complete")
    if not complete.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make(folder, suite, architecture, packages)
        complete.touch()
    return folder


def _make(folder: Path, suite: str, architecture: str, packages: tuple[str, ...]) -> None:
    _debootstrap(folder, suite, "--foreign", f"--arch={architecture}", f"--include={','.join(packages)}")
    archives = folder / "var/cache/apt/archives"
    for package in sorted(archives.glob("*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacked:
            command = ["tar", "--extract", "--keep-directory-symlink", "--directory", str(folder)]
            subprocess.run(command, stdin=unpacked.stdout, check=True, timeout=120)
        assert unpacked.returncode == 0, package.name
    shutil.rmtree(archives)
    shutil.rmtree(folder / "debootstrap")
    if (folder / "proc").is_symlink():  # what debootstrap makes where it may not mount
        (folder / "proc").unlink()
        (folder / "proc").mkdir()
    for name in ("passwd", "group"):  # what configuring the package base-passwd would do
        shutil.copy(folder / f"usr/share/base-passwd/{name}.master", folder / "etc" / name)


def _debootstrap(folder: Path, suite: str, *options: str) -> None:
    cache = FOLDER / "packages"
    cache.mkdir(parents=True, exist_ok=True)
    command = [tools.debian("debootstrap"), "--variant=minbase", f"--cache-dir={cache}", *options]
    ended = subprocess.run(
        [*command, suite, str(folder), mirror()], capture_output=True, text=True, check=False, timeout=DOWNLOAD_S
    )
    assert ended.returncode == 0, f"{ended.stdout[-2000:]}{ended.stderr}"
