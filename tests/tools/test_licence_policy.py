from __future__ import annotations

from pathlib import Path

import pytest
from tools.licence_policy import PolicyError, holds, read_policy

POLICY = Path(__file__).parents[2] / "deploy/container/licences.toml"
HEAD = """allowed = ["MIT"]
static_parts = []
packages = {}
libraries = {}
"""


def write(folder: Path, waivers: str) -> Path:
    path = folder / "licences.toml"
    path.write_text(HEAD + waivers, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("expression", "is_fulfilled"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND BSD-3-Clause", True),
        ("GPL-3.0-only AND MIT OR MIT", True),
        ("MIT OR MIT AND GPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
    ],
)
def test_an_expression_is_fulfilled_as_spdx_says(expression: str, *, is_fulfilled: bool) -> None:
    known = {"MIT", "BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"}
    assert holds(expression, known.__contains__) is is_fulfilled


@pytest.mark.parametrize("text", ["", "MIT, BSD", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT MIT", "Apache License"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        holds(text, lambda _identifier: True)


def test_a_waiver_is_for_its_components_alone(tmp_path: Path) -> None:
    policy = read_policy(
        write(tmp_path, '[[waivers]]\nlicence = "GPL-2.0-or-later"\nof = ["x264"]\nreason = "It encodes."\n')
    )
    assert policy.allows("x264", "GPL-2.0-or-later")
    assert not policy.allows("another", "GPL-2.0-or-later")
    assert not policy.allows("x264", "AGPL-3.0-only")


def test_a_waiver_for_what_is_not_inside_is_told(tmp_path: Path) -> None:
    policy = read_policy(
        write(tmp_path, '[[waivers]]\nlicence = "GPL-2.0-or-later"\nof = ["x264", "x265"]\nreason = "They encode."\n')
    )
    (line,) = policy.unused({"x264": "GPL-2.0-or-later", "x265": "MIT"})
    assert line.startswith("x265 ")


@pytest.mark.parametrize(
    "waiver",
    [
        'licence = "MPL-2.0"\nof = ["certifi"]',
        'licence = "MPL-2.0"\nof = ["certifi"]\nreason = " "',
        'of = ["certifi"]',
    ],
)
def test_a_waiver_without_a_reason_is_refused(tmp_path: Path, waiver: str) -> None:
    with pytest.raises(PolicyError):
        read_policy(write(tmp_path, f"[[waivers]]\n{waiver}\n"))


def test_our_policy_allows_no_copyleft_but_by_a_waiver() -> None:
    policy = read_policy(POLICY)
    assert not [licence for licence in policy.allowed if "GPL" in licence or licence.startswith(("MPL", "EPL", "CC"))]
    assert not policy.allows("anything", "GPL-2.0-or-later")
    assert not policy.allows("libx264", "AGPL-3.0-only")
