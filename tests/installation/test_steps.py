from __future__ import annotations

from pathlib import PurePosixPath

from belvedere.installation.steps import EnsureFile
from belvedere.secret import Secret


def test_a_step_says_what_it_does_to_a_file_and_never_its_secret() -> None:
    step = EnsureFile(PurePosixPath("/etc/token"), Secret("abcdef"), mode=0o600)
    assert str(step) == "write /etc/token (root:root 0600)"
    assert "abcdef" not in repr(step)


def test_a_file_of_the_owner_is_said_to_be_kept() -> None:
    step = EnsureFile(PurePosixPath("/etc/a.toml"), "", "belvedere", 0o640, is_owners=True)
    assert str(step) == "write /etc/a.toml (root:belvedere 0640, kept if it exists)"
