"""Debian's coturn on loopback, as a child process without any configuration of the system's."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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
        self.port, self.tls_port = _free_port(), _free_port()
        self.secret_file, self.certificate = folder / "turn-secret", folder / "turn.pem"
        self._log = folder / "turn.log"
        self.secret_file.write_text(SECRET, encoding="ascii")
        key = _write_certificate(self.certificate, folder / "turn.key")
        low, high = RELAY_PORTS
        self._command = [
            program,
            *("-n", "--no-cli", "--verbose", "--simple-log", "--log-file=stdout"),
            *("--no-dtls", "--fingerprint", "--allow-loopback-peers", f"--userdb={folder}/turn.sqlite"),
            *(f"--listening-ip={HOST}", f"--relay-ip={HOST}", f"--pidfile={folder}/turn.pid", "--realm=test"),
            *(f"--listening-port={self.port}", f"--tls-listening-port={self.tls_port}"),
            *(f"--min-port={low}", f"--max-port={high}", f"--cert={self.certificate}", f"--pkey={key}"),
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


def _write_certificate(file: Path, key_file: Path) -> Path:
    """Write a certificate for localhost that is valid today, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return key_file


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        return int(found.getsockname()[1])


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
