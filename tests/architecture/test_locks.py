"""The lock files agree with each other, know every platform, and name packages instead of addresses."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
OF_OTHER_ENVIRONMENTS = {"deploy.lock", "kubernetes.lock"}  # never installed beside the others
PAGE_LOCK = ROOT / "web/package-lock.json"


def pins(lock: Path) -> set[str]:
    """`name==version ; marker` of every package in the lock."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {line.rstrip(" \\") for line in lines if re.match(r"[a-z0-9.-]+==", line)}


def missing_from(lock: dict[str, dict[str, dict[str, dict[str, str]]]]) -> set[str]:
    """Packages that the lock's packages ask for, on any platform, and that it does not hold."""
    packages = lock["packages"]
    held = {path.rpartition("node_modules/")[2] for path in packages}
    asked = {
        name
        for entry in packages.values()
        for kind in ("dependencies", "optionalDependencies")
        for name in entry.get(kind, ())
    }
    return asked - held


def test_locks_name_packages_and_no_addresses() -> None:
    for lock in LOCKS:
        assert "://" not in lock.read_text(encoding="utf-8"), lock.name
    assert '"resolved"' not in PAGE_LOCK.read_text(encoding="utf-8")


def test_the_smaller_locks_are_parts_of_the_largest() -> None:
    versions = {pin.split(" ;")[0] for pin in pins(ROOT / "requirements/dev.lock")}
    for lock in LOCKS:
        if lock.name in OF_OTHER_ENVIRONMENTS:
            continue
        assert {pin.split(" ;")[0] for pin in pins(lock)} <= versions, lock.name


def test_the_locks_hold_what_the_project_asks_for() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = settings["project"], settings["dependency-groups"]
    apart = groups.pop("deploy")
    lists = [project["dependencies"], *project["optional-dependencies"].values(), *groups.values()]
    asked = {re.split(r"[<>=;\[]", entry)[0] for entries in lists for entry in entries if isinstance(entry, str)}
    assert asked <= {pin.partition("==")[0] for pin in pins(ROOT / "requirements/dev.lock")}, "run `make lock`"
    asked = {re.split(r"[<>=;\[]", entry)[0] for entry in apart}
    assert asked <= {pin.partition("==")[0] for pin in pins(ROOT / "requirements/deploy.lock")}, "run `make lock`"


def test_the_lock_of_the_page_knows_every_platform() -> None:
    assert missing_from(json.loads(PAGE_LOCK.read_text(encoding="utf-8"))) == set()


def test_a_platform_that_a_lock_forgot_is_found() -> None:
    asking = {"optionalDependencies": {"tool-arm64": "1.0.0", "tool-x64": "1.0.0"}}
    assert missing_from({"packages": {"node_modules/tool": asking, "node_modules/tool-x64": {}}}) == {"tool-arm64"}
