from __future__ import annotations

from belvedere.installation.plan import Choice, TunnelChoice, installation, removal
from belvedere.installation.steps import (
    EnsureFile,
    EnsureFolder,
    EnsureInstances,
    EnsureService,
    EnsureUser,
    RemoveFile,
    RemoveFolder,
    RemoveUser,
)
from belvedere.secret import Secret

CHOICE = Choice("/opt/belvedere/bin/belvedere", "1.2.3", "version = 1\n")
WITH_TUNNEL = Choice(
    "/opt/b", "1", "version = 1\n", TunnelChoice("/usr/bin/cloudflared", Secret("a-token\n")), starts=True
)


def files_of(choice: Choice) -> dict[str, EnsureFile]:
    return {str(step.path): step for step in installation(choice) if isinstance(step, EnsureFile)}


def test_each_file_has_the_permissions_that_it_needs() -> None:
    modes = {path: (step.group, step.mode, step.is_owners) for path, step in files_of(WITH_TUNNEL).items()}
    assert modes == {
        "/etc/belvedere/belvedere.toml": ("belvedere", 0o640, True),
        "/etc/dbus-1/system.d/belvedere.conf": ("root", 0o644, False),
        "/etc/systemd/system/belvedere.service": ("root", 0o644, False),
        "/etc/systemd/system/belvedere@.service": ("root", 0o644, False),
        "/etc/belvedere/secrets/tunnel-token": ("root", 0o600, False),
        "/etc/systemd/system/belvedere-tunnel.service": ("root", 0o644, False),
    }


def test_the_user_comes_before_what_names_it_and_services_come_last() -> None:
    kinds = [type(step) for step in installation(WITH_TUNNEL)]
    assert kinds.index(EnsureUser) < kinds.index(EnsureFolder) < kinds.index(EnsureFile)
    assert kinds[-3:] == [EnsureService, EnsureInstances, EnsureService]


def test_the_token_is_in_no_text_but_its_own_file() -> None:
    assert not any(
        "a-token" in step.content for step in files_of(WITH_TUNNEL).values() if isinstance(step.content, str)
    )


def test_without_a_tunnel_nothing_of_one_is_installed() -> None:
    assert not any("tunnel" in path for path in files_of(CHOICE))


def test_a_service_that_shall_not_start_is_written_only() -> None:
    choice = Choice("/opt/b", "1", "version = 1\n", starts=False)
    assert not [step for step in installation(choice) if isinstance(step, EnsureService)]
    assert "/etc/systemd/system/belvedere.service" in files_of(choice)


def test_a_removal_keeps_what_is_the_owners_unless_told_otherwise() -> None:
    kinds = {type(step) for step in removal(purges=False)}
    assert not kinds & {RemoveFolder, RemoveUser}
    purged = [str(step.path) for step in removal(purges=True) if isinstance(step, RemoveFolder)]
    assert purged == ["/var/lib/belvedere", "/etc/belvedere"]
    assert isinstance(removal(purges=True)[-1], RemoveUser)


def test_every_file_outside_the_owners_folders_is_removed() -> None:
    removed = {str(step.path) for step in removal(purges=False) if isinstance(step, RemoveFile)}
    assert removed == {path for path in files_of(WITH_TUNNEL) if not path.startswith("/etc/belvedere/")}
