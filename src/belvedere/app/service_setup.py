"""What `belvedere setup` installs: decided from flags and answers, and checked before anything is changed."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere import __version__
from belvedere.access.rights import Role
from belvedere.app.camera_argument import parse_camera
from belvedere.app.people_client import invite_person, open_people
from belvedere.app.secret_files import SecretFiles
from belvedere.app.settings import PatternCameraSettings, V4l2CameraSettings, parse_settings, read_config, resolve
from belvedere.errors import OwnerError
from belvedere.installation.plan import Choice, TunnelChoice
from belvedere.installation.texts import ETC, SETTINGS, TUNNEL_TOKEN, SettingsChoice, settings_text
from belvedere.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from belvedere.app.settings import Camera, Config
    from belvedere.gateway.views import Invitation
    from belvedere.installation.computer import Computer

HIDDEN: Final = ("home", "root", "run/user", "tmp", "var/tmp")  # from the service, by its sandbox
FOR_ALL: Final = "sudo PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin pipx install belvedere-*.whl"
CLOUDFLARED: Final = "cloudflared"
PATH: Final = "/usr/local/bin:/usr/bin:/bin"  # where a service of the system may have its program
MAX_TOKEN_BYTES: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the owner has said, by flags or when asked; None and () are not said.

    Attributes:
        camera: as on the command line of `belvedere demo --source`, or a pattern of a card's name.
        head: `bluetooth` or `none`.
        names: under which visitors reach the house.
        team, audience: of Cloudflare Access.
        tunnel_token: a file with the token of a Cloudflare tunnel.
    """

    camera: str | None = None
    head: str | None = None
    profile: str | None = None
    adapter: str | None = None
    pan_address: str | None = None
    tilt_address: str | None = None
    names: tuple[str, ...] = ()
    port: int | None = None
    team: str | None = None
    audience: str | None = None
    tunnel_token: Path | None = None

    @property
    def names_settings(self) -> bool:
        """Whether anything was said that belongs into the settings file."""
        return replace(self, tunnel_token=None) != Answers()


def asked(
    answers: Answers, ask: Callable[[str, str], str], cameras: Sequence[str], *, has_cloudflared: bool
) -> Answers:
    """The answers with what was not said and cannot be guessed; `ask` gets a question and what Enter means."""
    camera, names, token = answers.camera, answers.names, answers.tunnel_token
    if camera is None:
        others = "".join(f"  {each}\n" for each in cameras[1:])
        more = f"others are\n{others}" if others else ""
        camera = ask(
            f"The camera: a device, rtsp://..., or test for a test pattern; {more}", next(iter(cameras), "test")
        )
    if not names:
        given = ask("The name under which visitors reach this house, such as home.example.org; empty for none", "")
        names = tuple(given.split())
    if token is None and names and has_cloudflared:
        given = ask("The file with the token of a Cloudflare tunnel; empty for none", "")
        token = Path(given) if given else None
    return replace(answers, camera=camera, names=names, tunnel_token=token)


def settings_of(answers: Answers) -> str:
    """The text of a new settings file. Raises SettingsError where the server would refuse it."""
    server: dict[str, str | int | list[str]] = {}
    if answers.names:
        server["names"] = list(answers.names)
    if answers.port is not None:
        server["port"] = answers.port
    head = {"kind": answers.head, "profile": answers.profile, "adapter": answers.adapter}
    access = {"team": answers.team, "audience": answers.audience}
    text = settings_text(
        SettingsChoice(
            server=server,
            head={key: value for key, value in head.items() if value is not None},
            pan_address=answers.pan_address,
            tilt_address=answers.tilt_address,
            camera=_camera_keys(_camera(answers.camera)),
            access={key: value for key, value in access.items() if value is not None},
        )
    )
    settings = parse_settings(text, str(SETTINGS), SecretFiles(Path(ETC), None))
    resolve(settings, str(SETTINGS), Path(ETC))
    return text


def _camera(named: str | None) -> Camera:
    if named is None:
        return PatternCameraSettings()
    if "*" in named:
        return V4l2CameraSettings(device=named)
    return parse_camera(named if named in {"sim", "test"} or "://" in named else str(Path(named).absolute()))


def _camera_keys(camera: Camera) -> dict[str, str]:
    """The keys of a camera's table that were said, with its kind first."""
    keys = {"kind": str(camera.__struct_config__.tag)}
    fields = msgspec.structs.fields(camera)
    said = {each.encode_name: getattr(camera, each.name) for each in fields if each.name in {"device", "path", "url"}}
    return keys | said


def choice_of(
    answers: Answers,
    computer: Computer,
    *,
    starts: bool,
    cloudflared: str | None,
    prefixes: tuple[Path, Path] | None = None,
) -> Choice:
    """What to install on this computer. Raises OwnerError for what cannot be, before anything is changed.

    Args:
        answers: what the owner has said.
        computer: where to install.
        starts: whether the service is started, and with the computer.
        cloudflared: the path of that program, if there is one.
        prefixes: the environment that Belvedere is installed in, and the one of its interpreter; ours by default.
    """
    prefix, base = prefixes or (Path(sys.prefix), Path(sys.base_prefix))
    program = program_for_service(prefix, base, computer.path(PurePosixPath("/")))
    settings = computer.path(SETTINGS)
    if os.path.lexists(settings):
        read_config(settings)
    return Choice(
        program=str(program),
        version=__version__,
        settings=settings_of(answers),
        tunnel=_tunnel(answers.tunnel_token, computer, cloudflared),
        starts=starts,
    )


def program_for_service(prefix: Path, base: Path, root: Path = Path("/")) -> Path:
    """The command `belvedere` of an environment. Raises OwnerError where a service could not run it."""
    program = prefix / "bin/belvedere"
    if not program.exists():
        raise OwnerError(f"there is no {program}: install the wheel, then run its `belvedere setup`")
    for folder in (program.parent.resolve(), base.resolve()):
        above = [each for each in (folder, *folder.parents) if each.is_relative_to(root)]
        is_hidden = any(folder.is_relative_to(root / each) for each in HIDDEN)
        if is_hidden or any(not each.stat().st_mode & stat.S_IXOTH for each in above):
            raise OwnerError(f"a service cannot use what is installed in {folder}: install it for all: {FOR_ALL}")
    return program


def _tunnel(token: Path | None, computer: Computer, program: str | None) -> TunnelChoice | None:
    """The tunnel whose token is in a file, or whose token was installed before."""
    installed = computer.path(TUNNEL_TOKEN)
    if token is None and not os.path.lexists(installed):
        return None
    if program is None:
        raise OwnerError(f"there is no {CLOUDFLARED} in {PATH}: install its Debian package from Cloudflare first")
    return TunnelChoice(program, _token_in(token or installed))


def find_cloudflared(path: str = PATH) -> str | None:
    """The path of cloudflared, where it is installed for all."""
    return shutil.which(CLOUDFLARED, path=path)


def _token_in(file: Path) -> Secret:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_TOKEN_BYTES + 1)
    except OSError as error:
        raise OwnerError(f"{file}: cannot be read: {error.strerror}") from error
    text = content.decode("ascii", errors="replace").strip()
    if not text or len(content) > MAX_TOKEN_BYTES or not text.isascii() or len(text.split()) > 1:
        raise OwnerError(f"{file}: expected the token of a tunnel, and nothing else")
    return Secret(text + "\n")


def owner_invitation(config: Config) -> Invitation | None:
    """A new link for the owner; None where an owner has come in already. Raises OwnerError."""
    with open_people(config) as client:
        if any(each.role is Role.OWNER and each.has_joined for each in client.people()):
            return None
        return invite_person(client, None, None)
