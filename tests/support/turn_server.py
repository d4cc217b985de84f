"""Debian's coturn on loopback, as a child process without any configuration of the system's."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from tests.support.self_signed_certificate import SelfSignedCertificate
from tests.support.serving import free_ports

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

HOST = "127.0.0.1"
SECRET = "a secret that only both servers know"  # noqa: S105 (of a server that lives for a test)
READY_TIMEOUT_S = 10.0
RELAY_PORTS = (21_500, 21_599)


class TurnServer:
    """A TURN server with `use-auth-secret`, by UDP, TCP and TLS; use it as a context manager.

    Attributes:
        secret_file: a file with its secret.
        certificate: its self-made certificate.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("turnserver")
        assert program is not None, "coturn is not installed: run scripts/bootstrap interop"
        self.port, self.tls_port = free_ports(2)
        certificate = SelfSignedCertificate(folder, "localhost", is_authority=True)
        self.secret_file, self.certificate = folder / "turn-secret", certificate.path
        self._log = folder / "turn.log"
        self.secret_file.write_text(SECRET, encoding="ascii")
        low, high = RELAY_PORTS
        self._command = [
            program,
            *("-n", "--no-cli", "--verbose", "--simple-log", "--log-file=stdout"),
            *("--no-dtls", "--fingerprint", "--allow-loopback-peers", f"--userdb={folder}/turn.sqlite"),
            *(f"--listening-ip={HOST}", f"--relay-ip={HOST}", f"--pidfile={folder}/turn.pid", "--realm=test"),
            *(f"--listening-port={self.port}", f"--tls-listening-port={self.tls_port}"),
            *(
                f"--min-port={low}",
                f"--max-port={high}",
                f"--cert={self.certificate}",
                f"--pkey={certificate.key_path}",
            ),
            *("--use-auth-secret", f"--static-auth-secret={SECRET}"),
        ]

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + READY_TIMEOUT_S
        while not (_is_open(self.port) and _is_open(self.tls_port)):
            assert time.monotonic() < until, f"coturn did not start: {self.log()[-2000:]}"
            assert self._process.poll() is None, f"coturn ended: {self.log()[-2000:]}"
            time.sleep(0.02)
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def url(self, way: str) -> str:
        """Its URL by `udp`, `tcp` or `tls`."""
        if way == "tls":
            return f"turns:localhost:{self.tls_port}?transport=tcp"
        return f"turn:{HOST}:{self.port}?transport={way}"

    def log(self) -> str:
        """What it has said."""
        return self._log.read_text(encoding="utf-8", errors="replace")


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
