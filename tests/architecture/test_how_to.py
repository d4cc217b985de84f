"""What the how-tos tell people to type and to write is understood by the program as it is."""

from __future__ import annotations

import contextlib
import functools
import re
import shlex
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest
from cyclopts.exceptions import CycloptsError
from tests.store.saved import save, saved

from belvedere.app.secret_files import SecretFiles
from belvedere.app.settings import parse_settings
from belvedere.cli import application
from belvedere.errors import SettingsError
from belvedere.head.document import read_document
from belvedere.head.profile import HeadProfile, UnitProfile
from belvedere.secret import Secret
from belvedere.store.positions import ORIGIN, Position, save_positions
from belvedere.store.sqlite_file import SqliteFile

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(HOW_TO.glob("*.md"))


class AnySecretFiles(SecretFiles):
    """Finds every file that a page names."""

    def decode(self, kind: type, value: object) -> object:
        """The secret in that file."""
        assert kind is Secret
        assert isinstance(value, str)
        return Secret("a-secret-of-the-owner")


class Units(msgspec.Struct, forbid_unknown_fields=True):
    """An excerpt of a profile."""

    pan: UnitProfile | None = None
    tilt: UnitProfile | None = None


def blocks(text: str, kind: str) -> list[str]:
    return [body for language, body in BLOCK.findall(text) if language == kind]


def commands(text: str) -> list[list[str]]:
    """Every call of `belvedere` in a page, without the comment behind it."""
    lines = [line for body in blocks(text, "sh") for line in body.replace("\\\n", " ").splitlines()]
    calls = [shlex.split(re.sub(r"^(sudo|podman exec \S+) ", "", line), comments=True) for line in lines]
    return [call[1:] for call in calls if call and call[0] == "belvedere"]


def understood(call: list[str]) -> bool:
    try:
        application().parse_args(call, exit_on_error=False, print_error=False)
    except CycloptsError:
        return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_is_understood(page: Path) -> None:
    assert [call for call in commands(page.read_text(encoding="utf-8")) if not understood(call)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_setting_of_a_page_is_one(page: Path) -> None:
    for body in blocks(page.read_text(encoding="utf-8"), "toml"):
        read(body, page)


def read(body: str, page: Path) -> None:
    """Read an excerpt as what it is: a profile, its units, or settings."""
    keys = tomllib.loads(body).keys()
    if "frame" in keys:
        read_document(body, HeadProfile, page.name)
    elif keys <= {"pan", "tilt"}:
        read_document(body, Units, page.name)
    else:
        parse_settings(body, page.name, AnySecretFiles(page.parent, None))


def test_the_pages_hold_commands_and_settings_to_try() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert sum(len(commands(text)) for text in texts) >= 8
    assert sum(len(blocks(text, "toml")) for text in texts) >= 3


def test_what_is_wrong_is_found() -> None:
    assert commands("```sh\nsudo belvedere scan --forr 3  # too long\n```\n") == [["scan", "--forr", "3"]]
    assert not understood(["scan", "--forr", "3"])
    with pytest.raises(SettingsError):
        read(blocks("```toml\n[head]\nprofil = 'x'\n```\n", "toml")[0], Path("page"))


def test_no_block_is_left_open() -> None:
    for page in PAGES:
        assert page.read_text(encoding="utf-8").count("```") % 2 == 0
        for body in blocks(page.read_text(encoding="utf-8"), "toml"):
            tomllib.loads(body)


def test_a_store_is_backed_up_while_it_runs_and_restored_with_what_the_page_says(tmp_path: Path) -> None:
    if shutil.which("sqlite3") is None:
        pytest.skip("Debian's package sqlite3 is missing")
    back_up, restore = blocks((HOW_TO / "back-up-the-store.md").read_text(encoding="utf-8"), "sh")
    path = tmp_path / "belvedere.sqlite3"
    with contextlib.closing(SqliteFile(path)) as running:
        running.migrate()
        running.write(functools.partial(save_positions, positions={"pan": Position(5, is_sure=True)}))
        subprocess.run(["sh", "-euc", back_up], cwd=tmp_path, check=True)
    path.write_bytes(b"damaged" * 1000)
    subprocess.run(["sh", "-euc", restore], cwd=tmp_path, check=True)
    assert saved(path) == {"pan": Position(5, is_sure=False)}
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


def test_positions_are_counted_afresh_with_what_the_page_says(tmp_path: Path) -> None:
    if shutil.which("sqlite3") is None:
        pytest.skip("Debian's package sqlite3 is missing")
    (count_afresh,) = blocks((HOW_TO / "limit-travel.md").read_text(encoding="utf-8"), "sh")
    path = tmp_path / "belvedere.sqlite3"
    save(path, pan=Position(5, is_sure=False))
    subprocess.run(["sh", "-euc", count_afresh], cwd=tmp_path, check=True)
    assert saved(path) == {"pan": ORIGIN}
