"""Belvedere as an owner installs it on a Raspberry Pi: from its wheel, by `belvedere setup`, as a service."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from belvedere.installation.texts import ROOM_SERVICE, SERVICE, SETTINGS, STATE

if TYPE_CHECKING:
    from collections.abc import Callable

ENVIRONMENT = Path("/opt/belvedere/venv")
PROGRAM = ENVIRONMENT / "bin/belvedere"
DEPENDENCIES = "/opt/site"  # what the wheel needs, which the machine has without a network
WHEELS = Path("/out/wheels")
UV = "/repo/.venv/bin/uv"
UNVISITED = {
    f"/{name}" for name in ("proc", "sys", "dev", "run", "tmp", "var/tmp", "out", "repo", "root", "var/log")
} | {str(ENVIRONMENT.parent)}
"""Folders in which any process may write, and that of the program itself."""

PORT = 8080
ROOM, ROOM_PORT = "study", 8081
SECOND = ROOM_SERVICE.replace("@", f"@{ROOM}")
PAGE = Path("/repo/docs/how-to/several-rooms.md")
COMMAND_S, WAIT_S = 1200.0, 600.0  # the machine is emulated, on a computer that may be busy
POLL_S = 0.25
PATH = "/usr/local/bin:/usr/sbin:/usr/bin"


class FailedError(AssertionError):
    """A command failed."""


def run(*words: str | PurePath) -> str:
    """Run a command in an environment without anything of the tests; returns what it printed. Raises FailedError."""
    command = [str(word) for word in words]
    environment = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "UV_NO_CACHE": "1"}
    ended = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=COMMAND_S, check=False, cwd="/"
    )
    if ended.returncode:
        raise FailedError(f"{' '.join(command)}: status {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def until(condition: Callable[[], bool], what: str, wait_s: float = WAIT_S) -> float:
    """Wait for something that another process does; returns how long it took."""
    began_s = time.monotonic()
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < began_s + wait_s, f"not in time: {what}"
        pause.wait(POLL_S)
    return time.monotonic() - began_s


def files() -> frozenset[Path]:
    """Every file and folder that an installation could leave behind."""
    found: set[Path] = set()
    for folder, names, file_names in os.walk("/"):
        names[:] = [name for name in names if str(Path(folder, name)) not in UNVISITED and name != "__pycache__"]
        found.update(Path(folder, name) for name in (*names, *file_names))
    return frozenset(found)


def versions() -> tuple[str, str]:
    """The versions of the two wheels, the older one first."""
    older, newer = sorted(WHEELS.glob("belvedere-*.whl"), key=lambda path: path.name)
    return older.name.split("-")[1], newer.name.split("-")[1]


def put_version(version: str) -> None:
    """Install a wheel in place of the one that is there."""
    (wheel,) = WHEELS.glob(f"belvedere-{version}-*.whl")
    options = ("--offline", "--no-deps", "--quiet", "--compile-bytecode", "--python", ENVIRONMENT / "bin/python")
    run(UV, "pip", "install", *options, wheel)


@functools.cache
def installed() -> Service:
    """Install the older version and set it up."""
    before = files()
    run("python3", "-m", "venv", "--without-pip", ENVIRONMENT)
    (packages,) = ENVIRONMENT.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(f"{DEPENDENCIES}\n", encoding="utf-8")
    put_version(versions()[0])
    return Service(before, belvedere("setup", "--yes", "--camera", "test"))


def belvedere(*arguments: str) -> str:
    """Run the installed command."""
    return run(PROGRAM, *arguments)


def shown(service: str, name: str) -> str:
    """A property of a service that systemd knows."""
    return run("systemctl", "show", service, f"--property={name}", "--value").strip()


def process_of(service: str) -> int:
    """The process of a service; 0 where there is none."""
    return int(shown(service, "MainPID"))


def start_second_room() -> None:
    """Run the commands of the how-to for a second room, as root, with settings of a room without a head."""
    found = re.search(r"^```sh\n(sudo install .*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    folder = Path("/run/second-room")
    folder.mkdir()
    text = f'[server]\nport = {ROOM_PORT}\n[head]\nkind = "none"\n[store]\nfile = "{STATE}/{ROOM}/belvedere.sqlite3"\n'
    (folder / f"{ROOM}.toml").write_text(text, encoding="utf-8")
    run("sh", "-euc", f"cd {folder}; {found[1].replace('sudo ', '')}")


@dataclass(frozen=True)
class Service:
    """The installed service.

    Attributes:
        before: the files before anything was installed.
        said: what the first setup printed.
    """

    before: frozenset[Path]
    said: str

    @property
    def process(self) -> int:
        """Its process; 0 where there is none."""
        return process_of(SERVICE)

    @property
    def restarts(self) -> int:
        """How often systemd has started it again since somebody did."""
        return int(self.shows("NRestarts"))

    @property
    def is_running(self) -> bool:
        """Whether it has said that it is ready."""
        return self.shows("ActiveState") == "active" and self.process != 0

    def shows(self, name: str) -> str:
        """A property of it that systemd knows."""
        return shown(SERVICE, name)

    def request(self, path: str, body: str | None = None, **headers: str) -> tuple[str, str]:
        """Ask it by HTTP; returns the body of the answer, and the cookie that it set."""
        all_headers = {"Host": f"127.0.0.1:{PORT}", "Content-Type": "application/json", **headers}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)) as connection:
            connection.request("GET" if body is None else "POST", path, body, all_headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status in {http.client.OK, http.client.CREATED}, (path, answer.status, text)
            return text, (answer.headers["Set-Cookie"] or "").partition(";")[0]

    def parts(self) -> dict[str, str]:
        """The state of each part, as it says itself."""
        return dict(json.loads(self.request("/readyz")[0])["parts"])

    def log_in(self, name: str) -> str:
        """Come in as somebody who is invited; returns the cookie."""
        secret = json.dumps({"secret": self.invite(name)})
        return self.request("/api/v1/login/invitation", secret)[1]

    def people(self) -> list[str]:
        """The names of all who may come in."""
        listed = json.loads(belvedere("people", "list", "--json", "--config", str(SETTINGS)))
        return [each["name"] for each in listed]

    def invite(self, name: str) -> str:
        """Invite somebody; returns the secret of the link."""
        answer = belvedere("people", "invite", name, "--json", "--config", str(SETTINGS))
        return str(json.loads(answer)["secret"])
