"""What docs/how-to/run-on-kubernetes.md has people write and type is what the chart takes and makes."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from tests.deploy import chart, tools

from belvedere.cli import application

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (tools.ROOT / "docs/how-to/run-on-kubernetes.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The samples in a language, without the indentation of a list."""
    return [re.sub(rf"(?m)^{indent}", "", body) for indent, kind, body in BLOCK.findall(PAGE) if kind == language]


VALUES = [body for body in blocks("yaml") if body.startswith("# my-values.yaml")]
COMMANDS = [shlex.split(line, comments=True) for body in blocks("sh") for line in body.splitlines()]


def render(values: str, folder: Path) -> list[chart.Object]:
    """The objects of a release called home."""
    (folder / "values.yaml").write_text(values, encoding="utf-8")
    where = ["--namespace", "belvedere", "--values", str(folder / "values.yaml")]
    ended = chart.run_helm(4, "template", "home", str(chart.CHART), *where)
    assert ended.returncode == 0, ended.stderr
    return chart.parsed(ended.stdout)


@pytest.mark.parametrize("values", VALUES)
def test_helm_takes_the_values_of_the_page(values: str, tmp_path: Path) -> None:
    assert render(values, tmp_path)


def test_the_page_has_values() -> None:
    assert len(VALUES) == 2


def test_what_its_commands_name_is_made_by_its_values(tmp_path: Path) -> None:
    made = {each["metadata"]["name"] for each in chart.of_kind(render(VALUES[0], tmp_path), "Deployment")}
    named = set(re.findall(r"deployment/([a-z-]+)", PAGE))
    assert named == made


def test_belvedere_understands_what_is_run_in_the_pod() -> None:
    calls = [command[command.index("--") + 1 :] for command in COMMANDS if "--" in command]
    calls = [call[1:] for call in calls if call[0] == "belvedere"]
    assert len(calls) >= 4
    for call in calls:
        application().parse_args(call, exit_on_error=False, print_error=False)


def test_the_chart_is_where_helm_is_told() -> None:
    installs = [command for command in COMMANDS if command[:1] == ["helm"] and "install" in command]
    assert installs
    assert all((tools.ROOT / command[command.index("home") + 1] / "Chart.yaml").is_file() for command in installs)
