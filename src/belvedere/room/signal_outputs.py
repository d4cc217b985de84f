"""The ways to ring a chime or switch a light: a command, or a webhook. Calls block for a bounded time: use a thread."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Annotated, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from belvedere.access.programs import TokenFile, check_token
from belvedere.errors import SignalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from belvedere.secret import Secret

PLACE: Final = "{signal}"
COMMAND_TIMEOUT_S: Final = 10.0  # a chime of some seconds
POLL_S: Final = 0.05
END_TIMEOUT_S: Final = 1.0
STEP_TIMEOUT_S: Final = 5.0  # to connect, to send, and for each piece of the answer
SUCCESS: Final = range(200, 300)
WEBHOOK_TIMEOUT_S: Final = 8.0  # for all of it

CommandWord = Annotated[str, msgspec.Meta(max_length=1024)]
CommandLine = Annotated[str, msgspec.Meta(max_length=4096)]
WebhookUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\x21-\x7e]*)?\Z|^https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?(/[\x21-\x7e]*)?\Z",
        max_length=1024,
        description="http://host:port/path",
    ),
]


class SignalOutput(Protocol):
    """One way to tell the room something."""

    def send(self, word: str, stopping: threading.Event) -> None:
        """Tell it; `stopping` cuts this short. Blocks for a bounded time, name look-ups apart. Raises SignalError."""
        ...


class CommandOutput(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="command"
):
    """A program is run; what it writes is discarded, and it is ended after ten seconds.

    Attributes:
        command: program and arguments, as a list, or as a text that is split as a shell would; no shell runs it.
            `{signal}` in it becomes what there is to say: `arrival`, `knock` or `talk` for a chime, `on` or `off` for a
            light. What the program leaves running in the background ends with it.
    """

    command: CommandLine | Annotated[tuple[CommandWord, ...], msgspec.Meta(max_length=256)]

    def __post_init__(self) -> None:
        self.words()

    def words(self) -> tuple[str, ...]:
        """Program and arguments. Raises ValueError if there is none, or a quote is open."""
        words = tuple(shlex.split(self.command)) if isinstance(self.command, str) else self.command
        if not words or not words[0]:
            raise ValueError("command: it names no program")
        return words

    def send(self, word: str, stopping: threading.Event) -> None:
        """Run it, and wait for its end."""
        run_command([each.replace(PLACE, word) for each in self.words()], stopping)


class WebhookOutput(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="webhook"
):
    """A URL receives a POST request with the JSON text `{"signal": "knock"}`, or another signal; see `command`.

    Attributes:
        url: `http` or `https`; `{signal}` in it becomes the signal. Redirects are not followed.
        token: what is sent as `Authorization: Bearer`, if anything; the settings name the file that contains it.
    """

    url: WebhookUrl
    token: TokenFile | None = msgspec.field(default=None, name="token_file")

    def __post_init__(self) -> None:
        if self.token is not None:
            check_token(self.token)
        _ = urlsplit(self.url).port  # raises ValueError for one that is too large

    def send(self, word: str, stopping: threading.Event) -> None:
        """Send the request, and wait for the answer."""
        if not stopping.is_set():
            post_webhook(self.url.replace(PLACE, word), self.token, msgspec.json.encode({"signal": word}))


Output = CommandOutput | WebhookOutput


def run_command(words: Sequence[str], stopping: threading.Event, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
    """Run a command in a process group of its own, which is ended with it. Raises SignalError."""
    name, nothing = words[0], subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 (the owner's own command, without a shell)
            words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SignalError(f"{name}: could not be started: {reason}") from error
    status: int | None = None
    until = time.monotonic() + timeout_s
    try:
        while status is None and not stopping.is_set() and time.monotonic() < until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(POLL_S)
    finally:
        _end_group(process)
    if status is None and not stopping.is_set():
        raise SignalError(f"{name}: was ended, because it took longer than {timeout_s:g} s")
    if status:
        raise SignalError(
            f"{name}: " + (f"failed with status {status}" if status > 0 else f"ended by signal {-status}")
        )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_TIMEOUT_S)


def post_webhook(url: str, token: Secret | None, body: bytes, timeout_s: float = WEBHOOK_TIMEOUT_S) -> None:
    """Send a POST request. Nothing of the answer but its status is read. Raises SignalError, without path or token."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=STEP_TIMEOUT_S)
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token.reveal()}"
    path = (where.path or "/") + (f"?{where.query}" if where.query else "")
    ending = threading.Timer(timeout_s, _shut, [connection])  # an answer may come a byte at a time
    ending.daemon = True
    ending.start()
    try:
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise SignalError(f"{where.scheme}://{where.netloc}: {_reason(error)}") from error
    finally:
        ending.cancel()
        connection.close()
    if status not in SUCCESS:
        raise SignalError(f"{where.scheme}://{where.netloc}: HTTP status {status}")


def _shut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
