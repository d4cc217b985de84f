"""Renders the chart with Helm 3 and 4, each file of values once, and reads what comes out."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.deploy import tools

CHART = tools.ROOT / "deploy/helm/belvedere"
VALUES = Path(__file__).parent / "values"
ACCEPTED = sorted(path.stem for path in VALUES.glob("*.yaml"))
REFUSED = sorted(path.stem for path in (VALUES / "refused").glob("*.yaml"))
MAJORS = (3, 4)
RELEASE = "house"
NAMESPACE = "belvedere"
TO_JSON = (
    "import json, sys, yaml\n"
    "json.dump([each for each in yaml.load_all(sys.stdin, yaml.CSafeLoader) if each], sys.stdout)\n"
)

Object = dict[str, Any]
"""An object of Kubernetes, as JSON has it."""


def run_helm(major: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm without a cluster; whoever calls it judges the exit status."""
    command = [tools.helm(major), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def values_file(name: str) -> Path:
    """The file with these values, accepted or refused."""
    path = VALUES / f"{name}.yaml"
    return path if path.is_file() else VALUES / "refused" / f"{name}.yaml"


def template(major: int, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Render the chart with a file of values."""
    values = ["--namespace", NAMESPACE, "--values", str(values_file(name))]
    return run_helm(major, "template", RELEASE, str(CHART), *values, *arguments)


@functools.cache
def rendered(name: str, major: int = 4) -> str:
    """The manifests of a file of values, which must be accepted."""
    ended = template(major, name)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def parsed(text: str) -> list[Object]:
    """The documents of a YAML stream."""
    command = [tools.checker("python"), "-c", TO_JSON]
    ended = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=120)
    return list(json.loads(ended.stdout))


@functools.cache
def objects(name: str, major: int = 4) -> list[Object]:
    """The objects that are rendered from a file of values."""
    return parsed(rendered(name, major))


def of_kind(found: list[Object], kind: str) -> list[Object]:
    """The objects of one kind."""
    return [each for each in found if each["kind"] == kind]


def pods(found: list[Object]) -> dict[str, Object]:
    """What is a pod, or makes some: by name, an object with `metadata.labels` and `spec`."""
    made = {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind(found, "Deployment")}
    return made | {each["metadata"]["name"]: each for each in of_kind(found, "Pod")}


def containers(pod: Object) -> list[Object]:
    """All containers of a pod."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether labels have everything that a selector names."""
    return bool(selector) and selector.items() <= labels.items()
