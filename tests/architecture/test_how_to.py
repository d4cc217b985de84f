"""What the documents tell people to type and to write is understood by the program as it is."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import stat
import subprocess
import sys
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
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(HOW_TO.glob("*.md"))
ROOT = HOW_TO.parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PREFIX = re.compile(r"^(sudo|podman exec \S+|kubectl [^|]* --) ")
SQLITE3 = """import contextlib, sqlite3, sys
with contextlib.closing(sqlite3.connect(sys.argv[1])) as connection, connection:
    connection.execute(sys.argv[2])
"""
"""Does what Debian's program of this name does with a file and a statement; tests install no more for it."""

INLINE = re.compile(r"`(?:sudo )?belvedere ([^`]+)`")


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
    """Every call of `belvedere` in the blocks of a document, without the comment behind it."""
    bodies = [body.replace("\\\n", " ") for _, body in BLOCK.findall(text)]
    lines = [PREFIX.sub("", line.strip()) for body in bodies for line in body.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("belvedere ")]


def understood(call: list[str]) -> bool:
    try:
        application().parse_args(call, exit_on_error=False, print_error=False)
    except CycloptsError:
        return False
    return True


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_document_is_understood(document: Path) -> None:
    assert [call for call in commands(document.read_text(encoding="utf-8")) if not understood(call)] == []


def unknown_words(mention: str) -> list[str]:
    """What a mention in a sentence, such as `visits list --json`, names that there is not: commands and options."""
    words = mention.split()
    commands, apps, rest = application().parse_commands(words)
    if not commands:
        return words
    if commands[-1].startswith("--"):  # --help and --version, of whatever
        return []
    if apps[-1].default_command is None:  # a group of commands
        return words if rest else []
    options = {name for argument in apps[-1].assemble_argument_collection() for name in argument.names}
    return [word for word in rest if word.startswith("--") and word.partition("=")[0] not in options]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_sentence_mentions_exists(document: Path) -> None:
    mentions = INLINE.findall(document.read_text(encoding="utf-8"))
    assert {mention: wrong for mention in mentions if (wrong := unknown_words(mention.split("|")[0]))} == {}


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
    assert unknown_words("scan --forr 3") == ["--forr"]
    assert unknown_words("visits clear") == ["visits", "clear"]
    assert unknown_words("back-up") == ["back-up"]
    assert unknown_words("visits list --json") == unknown_words("people") == []
    with pytest.raises(SettingsError):
        read(blocks("```toml\n[head]\nprofil = 'x'\n```\n", "toml")[0], Path("page"))


def test_no_block_is_left_open() -> None:
    for page in PAGES:
        assert page.read_text(encoding="utf-8").count("```") % 2 == 0
        for body in blocks(page.read_text(encoding="utf-8"), "toml"):
            tomllib.loads(body)


def run_as_shown(script: str, folder: Path) -> None:
    """Run a block of a page, with the `belvedere` that is tested."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-euc", script], cwd=folder, env=environment, check=True)


@pytest.mark.realtime
def test_a_store_is_backed_up_while_it_runs_and_restored_with_what_the_page_says(tmp_path: Path) -> None:
    back_up, _every_night, restore = blocks((HOW_TO / "back-up-the-store.md").read_text(encoding="utf-8"), "sh")
    path = tmp_path / "belvedere.sqlite3"
    (tmp_path / "belvedere.toml").touch(0o600)
    with contextlib.closing(SqliteFile(path)) as running:
        running.migrate()
        running.write(functools.partial(save_positions, positions={"pan": Position(5, is_sure=True)}))
        run_as_shown(back_up, tmp_path)
    path.write_bytes(b"damaged" * 1000)
    run_as_shown(restore, tmp_path)
    assert saved(path) == {"pan": Position(5, is_sure=False)}
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


def test_positions_are_counted_afresh_with_what_the_page_says(tmp_path: Path) -> None:
    (count_afresh,) = blocks((HOW_TO / "limit-travel.md").read_text(encoding="utf-8"), "sh")
    path = tmp_path / "belvedere.sqlite3"
    save(path, pan=Position(5, is_sure=False))
    (tmp_path / "sqlite3").write_text(f"#!{sys.executable} -S\n{SQLITE3}", encoding="utf-8")
    (tmp_path / "sqlite3").chmod(0o700)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-euc", count_afresh], cwd=tmp_path, env=environment, check=True)
    assert saved(path) == {"pan": ORIGIN}
