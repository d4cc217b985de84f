"""One request to a public address, bounded in size, and in the time between two packets. Blocks; for a thread.

Who answers is a stranger as far as this knows: nothing is followed, and no secret is sent.
"""

from __future__ import annotations

import enum
import http.client
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S: Final = 6.0  # a page that takes longer keeps nobody waiting
MAX_BODY_BYTES: Final = 64 * 1024
MAX_SHOWN: Final = 100
PORTS: Final = {"https": 443, "http": 80}


class EdgeReason(enum.StrEnum):
    """Why there is no answer."""

    NAME = "name"
    REFUSED = "refused"
    SILENT = "silent"
    TLS = "tls"
    BROKEN = "broken"


class EdgeError(Exception):
    """There is no answer; the message is one line that says why."""

    def __init__(self, reason: EdgeReason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Where visitors reach the house; `base` is the path before all others, "" or as in `/kitchen`."""

    scheme: str
    host: str
    port: int
    base: str = ""

    @property
    def netloc(self) -> str:
        """Host and port, as `Host` names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What a browser sends as `Origin` from a page of this address."""
        return f"{self.scheme}://{self.netloc}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        headers: by their names in lower case; of several of one name, all with ", " between.
        body: its beginning.
        began_s: when the request was sent, and `took_s` how long the answer's head took, by the given clock.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    began_s: float = 0.0
    took_s: float = 0.0


def parse_address(text: str) -> PublicAddress:
    """The address in a URL, with https unless it says otherwise. Raises OwnerError."""
    wanted = f"{text}: give the public address, as in https://home.example.org"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        raise OwnerError(f"{wanted} ({error})") from error
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise OwnerError(wanted)
    try:
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    except UnicodeError as error:
        raise OwnerError(wanted) from error
    if not (host + parts.path).isprintable() or any(character.isspace() for character in host + parts.path):
        raise OwnerError(wanted)
    return PublicAddress(parts.scheme, host, port or PORTS[parts.scheme], parts.path.rstrip("/"))


class Exchanger:
    """Sends requests to one address.

    `context` verifies its certificate; `clock` is in seconds since 1970, UTC.
    """

    def __init__(
        self,
        address: PublicAddress,
        context: ssl.SSLContext,
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.address = address
        self.context = context
        self.timeout_s = timeout_s
        self.clock = clock

    def request(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """The answer to a request for a path below the base. Raises EdgeError."""
        address = self.address
        connection = (
            http.client.HTTPSConnection(address.host, address.port, timeout=self.timeout_s, context=self.context)
            if address.scheme == "https"
            else http.client.HTTPConnection(address.host, address.port, timeout=self.timeout_s)
        )
        try:
            return self._answer(connection, f"{address.base}{path}", method, dict(headers or {}), body)
        except OSError as error:
            raise self._explained(error) from error
        except (http.client.HTTPException, ValueError) as error:
            raise EdgeError(EdgeReason.BROKEN, f"what answers is no web server: {repr(error)[:MAX_SHOWN]}") from error
        finally:
            connection.close()

    def certificate(self) -> Mapping[str, object]:
        """The certificate, which was verified, as `ssl` describes it. Raises EdgeError."""
        address = self.address
        try:
            with (
                socket.create_connection((address.host, address.port), self.timeout_s) as plain,
                self.context.wrap_socket(plain, server_hostname=address.host) as secure,
            ):
                return {**(secure.getpeercert() or {}), "protocol": secure.version()}
        except (OSError, ValueError) as error:
            raise self._explained(error) from error

    def addresses(self) -> list[str]:
        """The IP addresses of the host. Raises EdgeError."""
        try:
            found = socket.getaddrinfo(self.address.host, self.address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise self._explained(error) from error
        return sorted({str(address[0]) for *_, address in found})

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        connection.connect()
        began_s = self.clock()
        try:
            connection.request(method, path or "/", body, {"User-Agent": "belvedere-doctor", **headers})
        except (BrokenPipeError, ConnectionResetError):
            if body is None:
                raise  # else the answer may be there: the body was too long for who reads it
        response = connection.getresponse()
        took_s = self.clock() - began_s
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            key = name.lower()
            found[key] = f"{found[key]}, {value}" if key in found else value
        return Answer(response.status, found, response.read(MAX_BODY_BYTES), began_s, took_s)

    def _explained(self, error: Exception) -> EdgeError:
        where = f"{self.address.host}, port {self.address.port}"
        reason, problem = EdgeReason.BROKEN, f"{where}: {getattr(error, 'strerror', None) or repr(error)}"
        match error:
            case socket.gaierror() | UnicodeError():
                reason, problem = EdgeReason.NAME, f"{self.address.host} has no address: {error}"
            case ssl.SSLCertVerificationError():
                reason, problem = EdgeReason.TLS, f"the certificate is not valid: {error.verify_message}"
            case ssl.SSLError():
                reason, problem = EdgeReason.TLS, f"{where} does not speak TLS: {error.reason or error}"
            case TimeoutError():
                reason, problem = EdgeReason.SILENT, f"{where} did not answer within {self.timeout_s:g} s"
            case ConnectionRefusedError():
                reason, problem = EdgeReason.REFUSED, f"{where} refuses connections"
            case _:
                pass
        return EdgeError(reason, problem)
