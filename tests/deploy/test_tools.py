"""The tools that the other tests here rely on are those that are pinned, and one that is missing is named."""

from __future__ import annotations

import subprocess

import pytest
from tests.deploy import tools


def output_of(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return ended.stdout + ended.stderr


@pytest.mark.parametrize(("major", "version"), [(3, "v3.17.2"), (4, "v4.3.1")])
def test_both_helms_are_the_pinned_ones(major: int, version: str) -> None:
    assert version in output_of(tools.helm(major), "version", "--short")


def test_kubectl_is_the_pinned_one() -> None:
    assert "v1.37.1" in output_of(tools.kubectl(), "version", "--client")


@pytest.mark.parametrize("name", ["checkov", "cyclonedx-py", "hadolint"])
def test_a_checker_starts(name: str) -> None:
    assert any(character.isdigit() for character in output_of(tools.checker(name), "--version"))


@pytest.mark.parametrize("name", ["buildah", "podman", "runc", "debootstrap", "qemu-aarch64-static"])
def test_a_program_of_debian_starts(name: str) -> None:
    assert any(character.isdigit() for character in output_of(tools.debian(name), "--version"))


def test_a_missing_program_is_named_with_what_installs_it() -> None:
    with pytest.raises(tools.ToolMissingError, match=r"helm-2 is not there: install it with scripts/bootstrap deploy"):
        tools.helm(2)
    with pytest.raises(tools.ToolMissingError, match="no-such-program is not there"):
        tools.debian("no-such-program")
