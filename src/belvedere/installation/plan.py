"""The plan of an installation, and of its removal, as a list of steps in their order. Pure.

The user comes before the files that name it, and the files before the services that read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from belvedere.installation.steps import (
    EnsureBusPolicy,
    EnsureFile,
    EnsureFolder,
    EnsureGroup,
    EnsureInstances,
    EnsureMembership,
    EnsureService,
    EnsureUser,
    RemoveFile,
    RemoveFolder,
    RemoveInstances,
    RemoveService,
    RemoveUser,
)
from belvedere.installation.texts import (
    BUS_POLICY,
    ETC,
    ROOM_SERVICE,
    ROOMS,
    SECRETS,
    SERVICE,
    SETTINGS,
    STATE,
    TUNNEL,
    TUNNEL_TOKEN,
    UNITS,
    USER,
    bus_policy_text,
    room_service_text,
    service_text,
    tunnel_text,
)

if TYPE_CHECKING:
    from belvedere.installation.steps import Step
    from belvedere.secret import Secret

GROUPS: Final = ("video", "audio", "bluetooth", "plugdev")  # the last for cameras by USB that are no webcams
PRIVATE_FILE: Final = 0o640
PRIVATE_FOLDER: Final = 0o750
ROOT_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class TunnelChoice:
    """A tunnel of Cloudflare.

    Attributes:
        program: the absolute path of cloudflared.
        token: the tunnel's, which the dashboard shows.
    """

    program: str
    token: Secret


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be installed.

    Attributes:
        program: the absolute path of the command `belvedere`.
        version: of the program.
        settings: the text of the settings file where there is none yet.
        tunnel: None leaves a tunnel as it is, or leaves it out.
        starts: whether the services are started, and with the computer.
    """

    program: str
    version: str
    settings: str
    tunnel: TunnelChoice | None = None
    starts: bool = True


def installation(choice: Choice) -> list[Step]:
    """The steps that install Belvedere as a service. The state folder is systemd's to make (`StateDirectory`)."""
    unit, template = UNITS / SERVICE, UNITS / ROOM_SERVICE
    steps: list[Step] = [
        EnsureGroup(USER),
        EnsureUser(USER, STATE),
        *(EnsureMembership(USER, group) for group in GROUPS),
        EnsureFolder(ETC, USER, PRIVATE_FOLDER),
        EnsureFolder(SECRETS, USER, PRIVATE_FOLDER),
        EnsureFile(SETTINGS, choice.settings, USER, PRIVATE_FILE, is_owners=True),
        EnsureFile(BUS_POLICY, bus_policy_text()),
        EnsureBusPolicy(BUS_POLICY),
        EnsureFile(unit, service_text(choice.program, choice.version)),
        EnsureFile(template, room_service_text(choice.program, choice.version)),
    ]
    services: list[Step] = [EnsureService(SERVICE, (unit, SETTINGS)), EnsureInstances(ROOMS, template)]
    if choice.tunnel is not None:
        tunnel = UNITS / TUNNEL
        steps += [
            EnsureFile(TUNNEL_TOKEN, choice.tunnel.token, mode=ROOT_ONLY),
            EnsureFile(tunnel, tunnel_text(choice.tunnel.program)),
        ]
        services.append(EnsureService(TUNNEL, (tunnel, TUNNEL_TOKEN), is_awaited=False))
    return [*steps, *services] if choice.starts else steps


def removal(*, purges: bool) -> list[Step]:
    """The steps that remove it again; settings, secrets, the store and the user that owns it are removed on request."""
    steps: list[Step] = [
        RemoveService(TUNNEL),
        RemoveInstances(ROOMS, UNITS / ROOM_SERVICE),
        RemoveService(SERVICE),
        RemoveFile(UNITS / TUNNEL),
        RemoveFile(UNITS / ROOM_SERVICE),
        RemoveFile(UNITS / SERVICE),
        RemoveFile(BUS_POLICY),
        EnsureBusPolicy(BUS_POLICY),
    ]
    if purges:
        steps += [RemoveFolder(STATE), RemoveFolder(ETC), RemoveUser(USER)]
    return steps
