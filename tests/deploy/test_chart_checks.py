"""Others' checkers accept the rendered objects: Kubernetes' own schemas, of three versions, and checkov."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.deploy import chart, tools

VERSIONS = ("1.30.0", "1.33.0", "1.37.0")
OF_A_TEST = {"CKV_K8S_8", "CKV_K8S_9"}  # probes: it runs to its end
ASKED_FOR = {
    "host-ports": {"CKV_K8S_26"},  # the node's ports are what this way to the viewers is
    "host-network": {"CKV_K8S_19", "CKV_K8S_26"},  # likewise the node's network
    "maintenance": {"CKV_K8S_8"},  # it serves nobody, so no probe restarts it
    "webcam-privileged": {"CKV_K8S_16", "CKV_K8S_20"},  # the kernel opens a device for no other, without a plugin
}
SKIPS = tools.ROOT / "deploy/helm/checkov.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the manifests of each file of values."""
    path = tmp_path_factory.mktemp("manifests")
    for name in chart.ACCEPTED:
        (path / f"{name}.yaml").write_text(chart.rendered(name), encoding="utf-8")
    return path


def files_of(folder: Path, *, with_fifty: bool) -> list[str]:
    """The manifests; those of fifty rooms, which are as those of two, take three times as long as all others."""
    return [str(path) for path in sorted(folder.glob("*.yaml")) if with_fifty or path.stem != "fifty-rooms"]


def validated(version: str, *files: str) -> subprocess.CompletedProcess[str]:
    """Compare objects with the schemas of a version of Kubernetes; what it knows no schema for is a warning."""
    command = [tools.checker("kubernetes-validate"), "--strict", "--quiet", "-k", version, *files]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_object_and_field(folder: Path, version: str) -> None:
    ended = validated(version, *files_of(folder, with_fifty=version == VERSIONS[-1]))
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


@pytest.mark.parametrize(("right", "wrong"), [("kind: Service\n", "kind: Servant\n"), ("  replicas:", "  replica:")])
def test_an_unknown_kind_and_an_unknown_field_are_found(tmp_path: Path, right: str, wrong: str) -> None:
    manifest = chart.rendered("restricted")
    assert right in manifest
    (tmp_path / "wrong.yaml").write_text(manifest.replace(right, wrong), encoding="utf-8")
    ended = validated(VERSIONS[-1], str(tmp_path / "wrong.yaml"))
    assert (ended.returncode, ended.stdout + ended.stderr) != (0, "")


def test_checkov_finds_what_the_values_ask_for_and_nothing_else(folder: Path) -> None:
    files = [argument for path in files_of(folder, with_fifty=False) for argument in ("-f", path)]
    command = [tools.checker("checkov"), *files, "--framework", "kubernetes", "--skip-download", "--compact", "--quiet"]
    command += ["--config-file", str(SKIPS), "-o", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    report = json.loads(ended.stdout)
    assert report["summary"]["passed"] > 500
    found: dict[str, set[str]] = {}
    for each in report["results"]["failed_checks"]:
        name = Path(each["file_path"]).stem
        if not (each["resource"].endswith("-test") and each["check_id"] in OF_A_TEST):
            found.setdefault(name, set()).add(each["check_id"])
    assert found == ASKED_FOR


def test_every_check_that_is_left_out_has_its_reason() -> None:
    lines = SKIPS.read_text(encoding="utf-8").splitlines()
    skipped = [index for index, line in enumerate(lines) if re.match(r"\s+- CKV", line)]
    assert skipped
    assert all(re.search(r"# \w.{15}", lines[index]) for index in skipped)
