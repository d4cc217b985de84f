"""Asks a running Belvedere on this computer by its REST API, over the local socket; for commands."""

from __future__ import annotations

import contextlib
import http.client
import socket
from typing import TYPE_CHECKING, Any, Final

import msgspec

from belvedere.errors import OwnerError
from belvedere.gateway.local_socket import SOCKET_NAME

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S: Final = 15.0  # longer than the server takes to answer that its disk does not
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024  # a long list of visits, and far from what would fill the memory


class NoServerError(OwnerError):
    """No server runs with these settings, or it cannot be reached from here."""


class RefusedError(OwnerError):
    """The server refused.

    Attributes:
        code: why, as in `gateway.problems`.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class LocalClient:
    """A client of the server whose local socket is in this folder (the one of the store's file).

    Every request blocks for TIMEOUT_S at most.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / SOCKET_NAME

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever the route answers
        """Send a request, with a JSON body where one is given; returns the JSON of the answer, None where it is empty.

        Raises NoServerError, and RefusedError with the server's message where it refuses.
        """
        status, content = self._exchange(method, path, None if body is None else msgspec.json.encode(body))
        try:
            answer = msgspec.json.decode(content) if content else None
        except msgspec.DecodeError as error:
            raise OwnerError(f"{self._path}: the answer of the server is no JSON: is it a Belvedere?") from error
        if status >= http.client.BAD_REQUEST:
            problem = answer if isinstance(answer, dict) else {}
            code, message = str(problem.get("code", status)), str(problem.get("message", f"status {status}"))
            raise RefusedError(code, f"the server refused: {message}")
        return answer

    def fetch(self, path: str) -> bytes:
        """The content at a path, of whatever type. Raises as `request` does."""
        status, content = self._exchange("GET", path, None)
        if status >= http.client.BAD_REQUEST:
            raise RefusedError(str(status), f"the server refused: status {status}")
        return content

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {} if body is None else {"content-type": "application/json"}
        with contextlib.closing(_UnixConnection(self._path)) as connection:
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                content = response.read(MAX_ANSWER_BYTES + 1)
            except (FileNotFoundError, ConnectionRefusedError) as error:
                raise NoServerError(f"no server runs here: there is none at {self._path}") from error
            except TimeoutError as error:
                raise NoServerError(f"{self._path}: the server did not answer within {TIMEOUT_S:g} s") from error
            except (OSError, http.client.HTTPException) as error:
                raise NoServerError(f"{self._path}: could not ask the server: {error}") from error
        if len(content) > MAX_ANSWER_BYTES:
            raise OwnerError(f"{self._path}: the answer of the server is too long")
        return response.status, content


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise
