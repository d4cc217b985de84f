"""`belvedere setup`: installs Belvedere as a service of systemd, or removes it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from belvedere.app.service_setup import Answers, asked, choice_of, find_cloudflared, owner_invitation
from belvedere.app.settings import Settings, read_config
from belvedere.cli.adapter import AdapterName  # noqa: TC001 (cyclopts reads annotations)
from belvedere.cli.people import print_invitation
from belvedere.errors import OwnerError
from belvedere.installation.carrying_out import Installer
from belvedere.installation.computer import ThisComputer
from belvedere.installation.plan import installation, removal
from belvedere.installation.steps import EnsureFile
from belvedere.installation.texts import ETC, SETTINGS, STATE, USER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from belvedere.installation.computer import Computer
    from belvedere.installation.steps import Step

Device = Annotated[str | None, Parameter(help="a device, a pattern of its name, rtsp://..., or test")]
Head = Annotated[Literal["bluetooth", "none"] | None, Parameter(help="kind of head; bluetooth unless given")]
Profile = Annotated[str | None, Parameter(help="the head's profile, by name or path")]
UnitAddress = Annotated[str | None, Parameter(help="the unit's Bluetooth address, as `belvedere scan` shows it")]
HostName = Annotated[
    tuple[str, ...],
    Parameter(help="name under which visitors reach it; may be repeated", negative=(), show_default=False),
]
Port = Annotated[int | None, Parameter(help="the port of the page; 8080 unless given")]
Team = Annotated[str | None, Parameter(help="team of Cloudflare Access")]
Audience = Annotated[str | None, Parameter(help="audience tag of its application")]
TokenFile = Annotated[Path | None, Parameter(help="file with the token of a Cloudflare tunnel")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="ask nothing", negative=(), show_default=False)]
Start = Annotated[bool, Parameter(help="start the service, and with the computer; on by default", show_default=False)]
DryRun = Annotated[bool, Parameter(help="only print each step and each file", negative=(), show_default=False)]
Uninstall = Annotated[
    bool, Parameter(help="remove the service; keep settings and data", negative=(), show_default=False)
]
Purge = Annotated[
    bool, Parameter(help="with --uninstall, remove settings, data and user too", negative=(), show_default=False)
]

SYSTEMD = Path("/run/systemd/system")  # exists where systemd is PID 1 (sd_booted(3))


def setup(
    *,
    camera: Device = None,
    head: Head = None,
    profile: Profile = None,
    adapter: AdapterName = None,
    pan_address: UnitAddress = None,
    tilt_address: UnitAddress = None,
    name: HostName = (),
    port: Port = None,
    access_team: Team = None,
    access_audience: Audience = None,
    tunnel_token_file: TokenFile = None,
    yes: Yes = False,
    start: Start = True,
    dry_run: DryRun = False,
    uninstall: Uninstall = False,
    purge: Purge = False,
) -> int:
    """Install, or remove, and print each change; returns 0. Raises OwnerError."""
    if purge and not uninstall:
        raise OwnerError("--purge goes with --uninstall only")
    answers = Answers(
        camera=camera,
        head=head,
        profile=profile,
        adapter=adapter,
        pan_address=pan_address,
        tilt_address=tilt_address,
        names=name,
        port=port,
        team=access_team,
        audience=access_audience,
        tunnel_token=tunnel_token_file,
    )
    if not dry_run:
        _check_root()
    computer = ThisComputer()
    if uninstall:
        return _uninstall(computer, purges=purge, is_dry=dry_run)
    has_settings = os.path.lexists(computer.path(SETTINGS))
    cloudflared = find_cloudflared()
    if not has_settings and not yes and sys.stdin.isatty():
        answers = asked(answers, _ask, _cameras(), has_cloudflared=cloudflared is not None)
    choice = choice_of(answers, computer, starts=start, cloudflared=cloudflared)
    if has_settings and answers.names_settings:
        print(f"{SETTINGS} is kept as it is: change it there", file=sys.stderr)
    if dry_run:
        return _print_plan(installation(choice))
    changes = _carry_out(installation(choice), computer)
    if not changes:
        print("Nothing to change: all is as it should be.")
    elif start:
        _print_invitation()
    return 0


def _uninstall(computer: Computer, *, purges: bool, is_dry: bool) -> int:
    steps = removal(purges=purges)
    if is_dry:
        return _print_plan(steps)
    changes = _carry_out(steps, computer)
    if not changes:
        print("Nothing to remove.")
    if not purges:
        print(f"Kept: settings and secrets in {ETC}, the data in {STATE}, and the user {USER}, who owns it.")
        print("To remove these too: belvedere setup --uninstall --purge")
    return 0


def _check_root() -> None:
    if os.geteuid():
        raise OwnerError("setup changes the system, and needs root for that: sudo belvedere setup")
    if not SYSTEMD.is_dir():
        raise OwnerError("systemd does not run this computer: setup installs a service of systemd")


def _carry_out(steps: Sequence[Step], computer: Computer) -> list[str]:
    installer = Installer(computer, lambda change: print(f"  {change}", flush=True))
    installer.carry_out(steps)
    return installer.changes


def _print_plan(steps: Sequence[Step]) -> int:
    for number, step in enumerate(steps, start=1):
        print(f"{number:2}. {step}")
        if isinstance(step, EnsureFile):
            text = step.content if isinstance(step.content, str) else "(a secret, which is not shown)"
            print("".join(f"    | {line}".rstrip() + "\n" for line in text.splitlines()), end="")
    return 0


def _print_invitation() -> None:
    invitation = owner_invitation(read_config(ThisComputer().path(SETTINGS)))
    if invitation is None:
        print("Belvedere runs. Its owner has come in already.")
    else:
        print("Belvedere runs. This link is for the owner:")
        print_invitation(invitation)


def _ask(question: str, default: str) -> str:
    return input(f"{question} [{default}]: ").strip() or default


def _cameras() -> list[str]:
    """The usable cameras of this computer, by the paths that stay the same."""
    from belvedere.lab.camera_list import list_cameras  # noqa: PLC0415 - not needed for help

    found = list_cameras(Settings().stage).cameras
    return [(each.stable_names or (each.device,))[0] for each in found if each.is_usable]
