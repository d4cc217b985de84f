"""A chime's or light's command and webhook: what they are told, and that neither can last, write or lead elsewhere."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, ClassVar

import msgspec
import pytest

from belvedere.errors import SignalError
from belvedere.room.signal_outputs import CommandOutput, Output, WebhookOutput, post_webhook, run_command
from belvedere.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = Secret("0123456789abcdefghij")


def never() -> threading.Event:
    return threading.Event()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_command_is_run_without_a_shell_and_is_told_the_signal(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))"
    told = tmp_path / "told"
    CommandOutput(command=(*python(code), str(told), "{signal}", "$HOME;ls")).send("knock", never())
    assert told.read_text(encoding="utf-8") == "knock $HOME;ls"


def test_a_command_in_one_text_is_split_as_a_shell_would() -> None:
    assert CommandOutput(command="aplay 'door bell.wav'").words() == ("aplay", "door bell.wav")


@pytest.mark.parametrize("command", ["", "   ", "aplay 'open", [], [""]])
def test_a_command_that_names_no_program_is_refused(command: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "command", "command": command}, Output)


def test_a_program_that_is_missing_or_fails_is_an_error_of_one_line() -> None:
    with pytest.raises(SignalError, match=r"^/no/such: could not be started: No such file or directory$"):
        run_command(["/no/such"], never())
    with pytest.raises(SignalError, match="failed with status 3"):
        run_command(python("raise SystemExit(3)"), never())
    with pytest.raises(SignalError, match="ended by signal 9"):
        run_command(python("import os; os.kill(os.getpid(), 9)"), never())


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    held = tmp_path / "fifo"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    code = """if True:
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        held = open(sys.argv[1], "w")
        held.write("x")
        held.flush()
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[held.fileno()])
        time.sleep(600)
    """
    with pytest.raises(SignalError, match="took longer"):
        run_command([*python(code), str(held)], never(), timeout_s=2.0)
    os.set_blocking(reader, True)
    assert os.read(reader, 10) == b"x"
    assert os.read(reader, 10) == b""  # nobody holds the other end any more
    os.close(reader)


def test_a_program_is_ended_at_once_when_ours_ends() -> None:
    stopping = never()
    stopping.set()
    run_command(python("import time; time.sleep(600)"), stopping)


def test_a_program_that_writes_without_end_fills_nothing() -> None:
    run_command(
        python("import sys\nfor _ in range(100): sys.stdout.write('x' * 10**6); sys.stderr.write('y' * 10**6)"), never()
    )


class Receiver(BaseHTTPRequestHandler):
    received: ClassVar[list[tuple[str, str | None, bytes]]] = []
    status = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((self.path, self.headers["authorization"], body))
        self.send_response(self.status)
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    Receiver.received.clear()
    Receiver.status = 204
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_a_webhook_receives_the_signal_and_the_token(receiver: HTTPServer) -> None:
    output = WebhookOutput(url=f"{address(receiver)}/light/{{signal}}?from=room", token=TOKEN)
    output.send("on", never())
    assert Receiver.received == [("/light/on?from=room", f"Bearer {TOKEN.reveal()}", b'{"signal":"on"}')]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_answers_otherwise_is_an_error_and_no_redirect_is_followed(
    receiver: HTTPServer, status: int
) -> None:
    Receiver.status = status
    with pytest.raises(SignalError) as raised:
        post_webhook(f"{address(receiver)}/secret-path", TOKEN, b"{}")
    assert str(raised.value) == f"{address(receiver)}: HTTP status {status}"
    assert len(Receiver.received) == 1


def test_a_webhook_that_nobody_answers_is_an_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/secret-path"
        with pytest.raises(SignalError, match=r"^http://127\.0\.0\.1:\d+: Connection refused$"):
            post_webhook(url, None, b"{}")


def test_an_answer_that_comes_a_byte_at_a_time_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        is_over = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                while not is_over.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(SignalError):
            post_webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", None, b"{}", timeout_s=0.3)
        is_over.set()
        thread.join()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/b",
        "http://",
        "http://user:pass@host/",
        "http://a b/",
        "http://host/\r\nx: y",
        "file:///etc",
        "http://h:99999/",
    ],
)
def test_a_url_that_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "webhook", "url": url}, Output)


def test_nothing_is_sent_when_the_program_ends(receiver: HTTPServer) -> None:
    stopping = never()
    stopping.set()
    WebhookOutput(url=f"{address(receiver)}/").send("on", stopping)
    assert Receiver.received == []
