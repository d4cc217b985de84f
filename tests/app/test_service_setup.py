"""What `belvedere setup` decides: from few answers, and nothing that the service could not use."""

from __future__ import annotations

import contextlib
import time
import tomllib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_computer import FakeComputer

from belvedere import __version__
from belvedere.access.invitations import Invitations
from belvedere.access.rights import Role
from belvedere.app.service_setup import (
    Answers,
    asked,
    choice_of,
    find_cloudflared,
    owner_invitation,
    program_for_service,
    settings_of,
)
from belvedere.app.settings import read_config
from belvedere.errors import OwnerError, SettingsError
from belvedere.installation.plan import TunnelChoice
from belvedere.installation.texts import SETTINGS, TUNNEL_TOKEN
from belvedere.secret import Secret
from belvedere.store.access import load_access, save_access
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from belvedere.installation.plan import Choice

NOTHING = Answers()
CAMERAS = ("/dev/v4l/by-id/usb-one", "/dev/v4l/by-id/usb-two")


class Owner:
    """Somebody at a terminal, who gives prepared answers and otherwise presses Enter."""

    def __init__(self, said: Mapping[str, str] | None = None) -> None:
        self.said = said or {}
        self.questions: list[str] = []

    def __call__(self, question: str, default: str) -> str:
        """The answer to a question."""
        self.questions.append(question)
        return next((answer for word, answer in self.said.items() if word in question), default)


def test_pressing_enter_takes_the_first_camera_and_no_name() -> None:
    owner = Owner()
    assert asked(Answers(), owner, CAMERAS, has_cloudflared=True) == Answers(camera=CAMERAS[0])
    assert len(owner.questions) == 2
    assert CAMERAS[1] in owner.questions[0]


def test_without_a_camera_a_test_pattern_is_offered() -> None:
    assert asked(Answers(), Owner(), (), has_cloudflared=False).camera == "test"


def test_what_a_flag_said_is_not_asked() -> None:
    owner = Owner()
    said = Answers(camera="test", names=("home.example.org",), tunnel_token=Path("/token"))
    assert asked(said, owner, CAMERAS, has_cloudflared=True) == said
    assert not owner.questions


@pytest.mark.parametrize(("has_cloudflared", "token"), [(True, Path("/token")), (False, None)])
def test_a_tunnel_is_asked_for_where_there_is_a_name_and_cloudflared(
    *, has_cloudflared: bool, token: Path | None
) -> None:
    owner = Owner({"name": "home.example.org", "token": "/token"})
    answers = asked(Answers(), owner, CAMERAS, has_cloudflared=has_cloudflared)
    assert (answers.names, answers.tunnel_token) == (("home.example.org",), token)


@pytest.mark.parametrize(
    ("camera", "table"),
    [
        ("test", {"kind": "pattern"}),
        ("/dev/video0", {"kind": "v4l2", "device": "/dev/video0"}),
        ("*HDMI*", {"kind": "v4l2", "device": "*HDMI*"}),
        ("rtsp://camera.local/1", {"kind": "rtsp", "url": "rtsp://camera.local/1"}),
        ("/srv/garden.mp4", {"kind": "file", "path": "/srv/garden.mp4"}),
    ],
)
def test_each_kind_of_camera_is_written_as_the_settings_have_it(camera: str, table: dict[str, str]) -> None:
    assert tomllib.loads(settings_of(Answers(camera=camera)))["camera"] == table


def test_what_was_said_is_in_the_settings_and_nothing_else() -> None:
    said = Answers(head="none", names=("home.example.org",), port=8081, team="our-house", audience="0" * 64)
    written = tomllib.loads(settings_of(said))
    assert written["server"] == {"names": ["home.example.org"], "port": 8081}
    assert written["head"] == {"kind": "none"}
    assert written["access"]["cloudflare"]["team"] == "our-house"


@pytest.mark.parametrize(
    ("answers", "key"),
    [
        (Answers(names=("not a name",)), "server.names"),
        (Answers(profile="no-such-head"), "head.profile"),
        (Answers(pan_address="up there"), "head.pan.address"),
        (Answers(team="our-house"), "access.cloudflare"),
        (Answers(head="none", adapter="hci0"), "head"),
    ],
)
def test_what_the_server_would_refuse_is_refused_at_once(answers: Answers, key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        settings_of(answers)


def test_a_password_in_a_cameras_address_is_refused() -> None:
    with pytest.raises(OwnerError, match="password"):
        settings_of(Answers(camera="rtsp://me:secret@camera.local/1"))


@pytest.fixture
def computer(tmp_path: Path) -> FakeComputer:
    tmp_path.chmod(0o755)
    environment(tmp_path / "usr")
    return FakeComputer(tmp_path)


def environment(folder: Path) -> Path:
    """An environment with the command in it."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/belvedere").touch()
    return folder


def choice(computer: FakeComputer, answers: Answers = NOTHING, cloudflared: str | None = None) -> Choice:
    usr = computer.root / "usr"
    return choice_of(answers, computer, starts=True, cloudflared=cloudflared, prefixes=(usr, usr))


def put(computer: FakeComputer, path: PurePosixPath, text: str) -> Path:
    file = computer.path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_the_command_of_the_environment_is_what_the_service_runs(computer: FakeComputer) -> None:
    assert choice(computer).program == str(computer.root / "usr/bin/belvedere")
    assert choice(computer).version == __version__


@pytest.mark.parametrize("place", ["home/me/venv", "root/venv", "tmp/venv"])
def test_a_program_in_a_home_is_refused(computer: FakeComputer, place: str) -> None:
    with pytest.raises(OwnerError, match="PIPX_HOME=/opt/pipx"):
        program_for_service(environment(computer.root / place), computer.root / "usr", computer.root)


def test_an_interpreter_in_a_home_is_refused(computer: FakeComputer) -> None:
    (computer.root / "home").mkdir()
    with pytest.raises(OwnerError, match="a service cannot use"):
        program_for_service(computer.root / "usr", computer.root / "home", computer.root)


def test_a_program_behind_a_closed_folder_is_refused(computer: FakeComputer) -> None:
    (computer.root / "usr").chmod(0o700)
    with pytest.raises(OwnerError, match="a service cannot use"):
        choice(computer)


def test_a_program_that_is_not_installed_is_refused(computer: FakeComputer) -> None:
    (computer.root / "usr/bin/belvedere").unlink()
    with pytest.raises(OwnerError, match="install the wheel"):
        choice(computer)


def test_the_owners_settings_must_be_valid_before_anything_is_changed(computer: FakeComputer) -> None:
    put(computer, SETTINGS, "[camera]\nkind = 'telescope'\n")
    with pytest.raises(SettingsError, match="telescope"):
        choice(computer)


def test_a_tunnels_token_is_read_without_its_line_end_and_shown_to_nobody(computer: FakeComputer) -> None:
    file = put(computer, PurePosixPath("/token"), "eyJhIjoi\n\n")
    tunnel = choice(computer, Answers(tunnel_token=file), "/usr/bin/cloudflared").tunnel
    assert tunnel == TunnelChoice("/usr/bin/cloudflared", Secret("eyJhIjoi\n"))
    assert "eyJ" not in repr(tunnel)


def test_a_tunnel_that_was_installed_stays_one(computer: FakeComputer) -> None:
    put(computer, TUNNEL_TOKEN, "eyJhIjoi\n")
    assert choice(computer, cloudflared="/usr/bin/cloudflared").tunnel is not None


@pytest.mark.parametrize("content", ["", "\n", "two words", "sécret", "x" * 9000])
def test_what_is_no_token_is_refused_and_not_shown(computer: FakeComputer, content: str) -> None:
    file = put(computer, PurePosixPath("/token"), content)
    with pytest.raises(OwnerError) as refused:
        choice(computer, Answers(tunnel_token=file), "/usr/bin/cloudflared")
    assert str(refused.value) == f"{file}: expected the token of a tunnel, and nothing else"


def test_a_token_that_is_not_there_and_a_missing_cloudflared_are_one_line(computer: FakeComputer) -> None:
    nowhere = computer.root / "nowhere"
    with pytest.raises(OwnerError, match="nowhere: cannot be read: No such file"):
        choice(computer, Answers(tunnel_token=nowhere), "/usr/bin/cloudflared")
    with pytest.raises(OwnerError, match="there is no cloudflared"):
        choice(computer, Answers(tunnel_token=put(computer, PurePosixPath("/token"), "eyJ")))


def test_cloudflared_is_looked_for_where_services_have_their_programs(tmp_path: Path) -> None:
    assert find_cloudflared(str(tmp_path)) is None
    (tmp_path / "cloudflared").touch(mode=0o755)
    assert find_cloudflared(str(tmp_path)) == str(tmp_path / "cloudflared")


def test_the_owner_is_invited_until_an_owner_has_come_in(tmp_path: Path) -> None:
    (tmp_path / "belvedere.toml").write_text("version = 1\n", encoding="utf-8")
    config = read_config(tmp_path / "belvedere.toml")
    invitation = owner_invitation(config)
    assert invitation is not None
    assert invitation.role is Role.OWNER
    assert owner_invitation(config) is not None
    invitations = Invitations(time.monotonic)
    with contextlib.closing(SqliteFile(tmp_path / "belvedere.sqlite3")) as file:
        invitations.restore(file.read(lambda connection: load_access(connection, file.path)))
        invitations.redeem(invitation.secret)
        saved = invitations.saved()
        file.write(lambda connection: save_access(connection, saved))
    assert owner_invitation(config) is None
