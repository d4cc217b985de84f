"""Two rooms, each a `belvedere serve` with a virtual head and the drawn room, behind Debian's nginx with our examples.

Of an example only that is changed which belongs to a machine: ports, certificate, host names, time-outs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from tests.deploy.tools import ROOT, debian
from tests.support.self_signed_certificate import SelfSignedCertificate
from tests.support.serving import END_TIMEOUT_S, free_ports, running

from belvedere.app.local_client import LocalClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES: Final = ROOT / "deploy/nginx"
START_TIMEOUT_S: Final = 30.0
HOST: Final = "home.localhost"
PING_EVERY_S: Final = 1.0  # the real 20 s, and nginx's 60 s below, both shorter
READ_TIMEOUT: Final = "5s"
_SERVE: Final = f"""
import belvedere.gateway.server as server
server.PING_EVERY_S = {PING_EVERY_S}
from belvedere.cli import main
main()
"""
_MAIN: Final = """
daemon off;
{user}
pid nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path temp/body;
    proxy_temp_path temp/proxy;
    fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi;
    scgi_temp_path temp/scgi;
    include conf.d/*.conf;
    include site.conf;
}}
"""


@dataclass(frozen=True)
class Room:
    """One room.

    Attributes:
        name: what the list calls it.
        port: where its server listens.
        base_path: below which path it lives.
        host: its host name.
        proxy_port: where nginx listens.
        folder: its settings and its store.
    """

    name: str
    port: int
    base_path: str
    host: str
    proxy_port: int
    folder: Path

    @property
    def authority(self) -> str:
        """Its host with nginx's port."""
        return f"{self.host}:{self.proxy_port}"

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return f"https://{self.authority}{self.base_path}"

    def invite(self, person: str, role: str = "visitor") -> str:
        """A link for somebody new, as `belvedere people invite` makes it, with nginx's port."""
        client = LocalClient(self.folder)
        added: Any = client.request("POST", "/api/v1/people", {"name": person, "role": role})
        invited: Any = client.request("POST", f"/api/v1/people/{added['id']}/invitations")
        link = str(invited["link"])
        assert link.startswith(f"https://{self.host}{self.base_path}/join#"), link
        return link.replace(f"https://{self.host}", f"https://{self.authority}", 1)

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """A client by way of nginx, from this address of the loopback network."""
        transport = httpx.HTTPTransport(local_address=address, verify=trusting())
        headers = {"host": self.authority, "origin": f"https://{self.authority}"}
        base_url = f"https://127.0.0.1:{self.proxy_port}{self.base_path}"
        return httpx.Client(transport=transport, base_url=base_url, headers=headers, timeout=START_TIMEOUT_S)

    def come_in(self, client: httpx.Client, person: str, role: str = "visitor") -> str:
        """Let the client in as somebody new; returns the `Cookie` of its session."""
        secret = self.invite(person, role).partition("#")[2]
        client.post("/api/v1/login/invitation", json={"secret": secret}).raise_for_status()
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)

    def connection(self) -> socket.socket:
        """A connection to nginx, without TLS so far."""
        return socket.create_connection(("127.0.0.1", self.proxy_port), START_TIMEOUT_S)


def trusting() -> ssl.SSLContext:
    """TLS with any certificate: nginx's is made here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextlib.contextmanager
def two_rooms(folder: Path, *, by_name: bool, frontend: str) -> Iterator[tuple[Room, Room]]:
    """A kitchen and a study that run behind one nginx, each on a name of its own or below a path of one name.

    The list of rooms has a third, which nobody answers for. `frontend` is a page of another site that may show them.
    """
    first, second, proxy = free_ports(3)
    rooms = []
    for name, port in (("Kitchen", first), ("Study", second)):
        place = folder / name.lower()
        place.mkdir(parents=True)
        host, path = (f"{place.name}.{HOST}", "") if by_name else (HOST, f"/{place.name}")
        rooms.append(Room(name, port, path, host, proxy, place))
    listed = f'[access]\nfrontends = ["{frontend}"]\n'
    listed += "".join(f'[[rooms]]\nname = "{room.name}"\nurl = "{room.url}"\n' for room in rooms)
    attic = f"attic.{HOST}:{proxy}" if by_name else f"{HOST}:{proxy}/attic"
    listed += f'[[rooms]]\nname = "Attic"\nurl = "https://{attic}"\n'
    with contextlib.ExitStack() as stack:
        for room in rooms:
            stack.enter_context(_serving(room, listed))
        stack.enter_context(nginx(folder / "nginx", "rooms-by-name" if by_name else "rooms-by-path", proxy, rooms))
        kitchen, study = rooms
        yield kitchen, study


@contextlib.contextmanager
def nginx(folder: Path, site: str, port: int, rooms: list[Room]) -> Iterator[None]:
    """Debian's nginx with one of our examples, for these rooms."""
    command = configured_nginx(folder, site, port, rooms)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            deadline_at = time.monotonic() + START_TIMEOUT_S
            while not _accepts(port):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline_at, "nginx did not start"
                time.sleep(0.02)  # it gives no sign
            yield
            process.send_signal(signal.SIGQUIT)
            assert process.wait(END_TIMEOUT_S) == 0
        finally:
            process.kill()


def configured_nginx(folder: Path, site: str, port: int, rooms: list[Room]) -> list[str]:
    """Put an example into a folder, as on a Debian, and return the command that runs nginx with it."""
    (folder / "temp").mkdir(parents=True)
    for part in ("conf.d", "snippets"):
        shutil.copytree(EXAMPLES / part, folder / part)
    _replace(folder / "snippets/belvedere.conf", "proxy_read_timeout 60s;", f"proxy_read_timeout {READ_TIMEOUT};")
    certificate = SelfSignedCertificate(folder, HOST, f"*.{HOST}")
    text = (EXAMPLES / f"sites/{site}.conf").read_text(encoding="utf-8")
    for old, new in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/letsencrypt/live/home.example.org/fullchain.pem": str(certificate.path),
        "/etc/letsencrypt/live/home.example.org/privkey.pem": str(certificate.key_path),
        "home.example.org": HOST,
        **{f"127.0.0.1:808{number};": f"127.0.0.1:{room.port};" for number, room in enumerate(rooms)},
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(user=user), encoding="utf-8")
    return [debian("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


@contextlib.contextmanager
def _serving(room: Room, listed: str) -> Iterator[None]:
    settings = room.folder / "belvedere.toml"
    settings.write_text(
        f'[server]\nport = {room.port}\nnames = ["{room.host}"]\nbase_path = "{room.base_path}"\n'
        '[head]\nkind = "virtual"\n[camera]\nkind = "room"\n[stage]\nwidth = 640\nheight = 360\n'
        f'[store]\nfile = "belvedere.sqlite3"\n{listed}',
        encoding="utf-8",
    )
    command = [sys.executable, "-c", _SERVE, "serve", "--config", str(settings)]
    with running(command, room.folder / "log", rf"http://127\.0\.0\.1:{room.port}{room.base_path};"):
        yield


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
