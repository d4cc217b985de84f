"""Self-signed certificates, for servers on loopback: those of others that run beside ours, and doubles."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path

VALID_SINCE = dt.timedelta(days=200)


class SelfSignedCertificate:
    """A certificate and its key, as files in PEM.

    Args:
        folder: where the files are written.
        names: host names, the first of which is the subject; `localhost` stands for 127.0.0.1 too.
        days: from now until it ends.
        is_authority: whether it may also sign others, as some clients demand of what they are told to trust.
    """

    def __init__(self, folder: Path, *names: str, days: float = 90, is_authority: bool = False) -> None:
        stem = f"{names[0]}-{days:g}"
        self.path, self.key_path = folder / f"{stem}.pem", folder / f"{stem}.key"
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - VALID_SINCE)
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        )
        if is_authority:
            certificate = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        self.path.write_bytes(certificate.sign(key, hashes.SHA256()).public_bytes(pem))
        self.key_path.write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))

    @property
    def server(self) -> ssl.SSLContext:
        """For who answers with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key_path)
        return context

    @property
    def client(self) -> ssl.SSLContext:
        """For who trusts it, and nothing else."""
        return ssl.create_default_context(cafile=str(self.path))


def _general_names(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    if "localhost" in names:
        found.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    return found
