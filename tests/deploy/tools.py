"""Where the programs are that the tests of deployment run, as `scripts/bootstrap deploy` put them there.

A program that is not there is an error, never a reason to skip a test.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/deploy"
"""Where tests keep what is slow to make, such as the folder of a Debian; nothing in it is needed by git."""


MEASURED: list[str] = []
"""Sizes and times that a run is asked for; they are shown at its end, and kept in build/deploy/measured.txt."""


class ToolMissingError(Exception):
    """A program that a test needs is not installed."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"{path} is not there: install it with scripts/bootstrap deploy")


def helm(major: int) -> str:
    """The path of Helm 3 or Helm 4."""
    return _existing(BUILD / f"tools/helm-{major}")


def kubectl() -> str:
    """The path of kubectl."""
    return _existing(BUILD / "tools/kubectl")


def checker(name: str) -> str:
    """The path of a program of .venv-deploy: checkov, cyclonedx-py, hadolint, kubernetes-validate, python."""
    return _existing(ROOT / ".venv-deploy/bin" / name)


def debian(name: str) -> str:
    """The path of a program that Debian installs: buildah, debootstrap, nginx, podman, qemu-aarch64-static."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise ToolMissingError(name)
    return found


def _existing(path: Path) -> str:
    if not path.is_file():
        raise ToolMissingError(path)
    return str(path)
