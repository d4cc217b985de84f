"""Both majors of Helm lint, render and package the chart with every file of values, and refuse those that must be."""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING

import pytest
from tests.deploy import chart

import belvedere

if TYPE_CHECKING:
    from pathlib import Path

KEY = re.compile(r"( *)([A-Za-z]+):(.*)")
FIRST_LINE = re.compile(r"# refused: (.+)")


@pytest.mark.parametrize("major", chart.MAJORS)
@pytest.mark.parametrize("name", chart.ACCEPTED)
def test_helm_finds_nothing_to_complain_about(name: str, major: int) -> None:
    ended = chart.run_helm(major, "lint", "--strict", str(chart.CHART), "--values", str(chart.values_file(name)))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "[WARNING]" not in ended.stdout


@pytest.mark.parametrize("name", chart.ACCEPTED)
def test_helm_3_and_4_render_the_same(name: str) -> None:
    assert chart.objects(name, 3) == chart.objects(name, 4)


def test_there_are_enough_files_of_values() -> None:
    assert len(chart.ACCEPTED) >= 12
    assert len(chart.REFUSED) >= 12


@pytest.mark.parametrize("major", chart.MAJORS)
@pytest.mark.parametrize("name", chart.REFUSED)
def test_what_cannot_work_is_refused_with_the_reason(name: str, major: int) -> None:
    says = FIRST_LINE.match(chart.values_file(name).read_text(encoding="utf-8"))
    assert says is not None
    ended = chart.template(major, name)
    assert ended.returncode != 0
    assert says[1] in ended.stderr


@pytest.mark.parametrize("major", chart.MAJORS)
def test_the_package_has_the_chart_and_nothing_else(tmp_path: Path, major: int) -> None:
    ended = chart.run_helm(major, "package", str(chart.CHART), "--destination", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    (package,) = tmp_path.glob("belvedere-*.tgz")
    with tarfile.open(package) as archive:
        names = {name.removeprefix("belvedere/") for name in archive.getnames()}
    folder = {str(path.relative_to(chart.CHART)) for path in chart.CHART.rglob("*") if path.is_file()}
    assert names == folder - {".helmignore"} | ({".helmignore"} & names)


def test_the_chart_runs_this_version() -> None:
    about = chart.parsed((chart.CHART / "Chart.yaml").read_text(encoding="utf-8"))[0]
    assert about["appVersion"] == belvedere.__version__


def test_every_value_is_explained() -> None:
    assert not unexplained((chart.CHART / "values.yaml").read_text(encoding="utf-8"))


def test_a_value_without_an_explanation_is_found() -> None:
    assert unexplained("# A.\na:\n  b: 1\n  # C.\n  c:\n    d: 2\n") == ["a.b"]


def unexplained(text: str) -> list[str]:
    """The values without a comment above themselves or, in a small table, above that."""
    found: list[str] = []
    tables: list[tuple[str, bool]] = []
    is_explained = False
    for line in text.splitlines():
        key = KEY.match(line)
        if key is not None:
            depth = len(key[1]) // 2
            tables[depth:] = [(key[2], is_explained)]
            is_in_explained_table = depth > 1 and tables[depth - 1][1]
            if key[3] and not (is_explained or is_in_explained_table):
                found.append(".".join(name for name, _ in tables))
        is_explained = line.lstrip().startswith("#")
    return found


def test_the_notes_say_how_each_owner_is_invited() -> None:
    arguments = ["--namespace", chart.NAMESPACE, "--values", str(chart.values_file("two-rooms"))]
    # Helm 3 asks a cluster for its version even then.
    ended = chart.run_helm(4, "install", chart.RELEASE, str(chart.CHART), "--dry-run=client", *arguments)
    assert ended.returncode == 0, ended.stderr
    notes = ended.stdout.partition("NOTES:")[2]
    for room in ("kitchen", "study"):
        assert f"https://home.example.org/{room}" in notes
        assert f"exec -it deployment/house-belvedere-{room} -- belvedere people invite --config" in notes
