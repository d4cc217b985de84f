"""Documents point at things that exist, and every decision has its four parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs/decisions"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
PARTS = ["Status", "Context", "Decision", "Consequences"]


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def broken_links(document: Path) -> list[str]:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    return [target for target in targets if "://" not in target and not (document.parent / target).exists()]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    assert not broken_links(document)


def test_every_decision_has_a_number_four_parts_and_a_place_in_the_list() -> None:
    decisions = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    rows = []
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS, path.name
        rows.append(f"| [{path.name[:4]}]({path.name}) | {text.splitlines()[0].removeprefix('# ')} |")
    listed = (DECISIONS / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in listed if line.startswith("| [")] == rows


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("[a](page.md#there) [b](https://example.org) ![c](gone.png)", encoding="utf-8")
    assert broken_links(document) == ["gone.png"]
