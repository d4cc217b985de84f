"""The rest is tested against a real server: tests/interop/test_rtsp.py."""

from __future__ import annotations

import resource
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.recording_sink import RecordingSink

from belvedere.errors import CameraError, CameraReason
from belvedere.secret import Secret
from belvedere.stage.sources.rtsp import RtspSource, check_rtsp_login

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOGIN = Secret("p@ss/w:ord")


@pytest.mark.parametrize(
    ("url", "username", "password"),
    [
        ("rtsp://ann:secret@camera/", None, None),
        ("rtsp://ann@camera/", None, None),
        ("rtsp:///stream", None, None),
        ("rtsp://camera:99999/", None, None),
        ("rtsp://camera/", None, Secret("x")),
    ],
)
def test_an_address_with_a_login_or_without_a_camera_is_refused(
    url: str, username: str | None, password: Secret | None
) -> None:
    with pytest.raises(ValueError, match=r"url|password_file|[Pp]ort"):
        check_rtsp_login(url, username, password)


def test_an_address_with_a_separate_login_is_accepted() -> None:
    check_rtsp_login("rtsp://camera.local:554/stream1?x=1", "ann", Secret("x"))
    check_rtsp_login("rtsp://[::1]/", None, None)


class ScriptedServer:
    """Accepts connections and does something to each, in a thread."""

    def __init__(self, what: Callable[[socket.socket], None]) -> None:
        self._what = what
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/camera"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._what(connection)
        except OSError:
            pass


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    servers: list[ScriptedServer] = []

    def start(what: Callable[[socket.socket], None]) -> str:
        servers.append(ScriptedServer(what))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


def error(url: str) -> CameraError:
    source = RtspSource(url, username="ann", password=LOGIN, open_timeout_s=0.5, read_timeout_s=0.5)
    with pytest.raises(CameraError) as caught:
        RecordingSink().record(source)
    assert caught.value.__cause__ is None
    assert "ann" not in str(caught.value) + repr(caught.value)
    assert "ss/w" not in str(caught.value)
    return caught.value


def be_silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def send_headers_without_end(connection: socket.socket) -> None:
    connection.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n")
    while True:
        connection.sendall(b"X-Padding: " + b"x" * 4000 + b"\r\n")


def hang_up(connection: socket.socket) -> None:
    connection.recv(10)


def answer_nonsense(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\x00" * 1000 + b"\r\n\r\n")
    be_silent(connection)


def describe_without_end(connection: socket.socket) -> None:
    while request := connection.recv(4096):
        number = next(line for line in request.split(b"\r\n") if line.startswith(b"CSeq"))
        head = b"RTSP/1.0 200 OK\r\n" + number + b"\r\n"
        if request.startswith(b"OPTIONS"):
            connection.sendall(head + b"Public: DESCRIBE, SETUP, PLAY\r\n\r\n")
            continue
        connection.sendall(head + b"Content-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\n")
        while True:
            connection.sendall(b"a=x:" + b"y" * 60_000 + b"\r\n")


@pytest.mark.realtime
def test_a_description_without_end_takes_no_memory(serve: Callable[[Callable[[socket.socket], None]], str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert error(serve(describe_without_end)).camera_reason is CameraReason.WRONG_FORMAT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB; 700 MB arrive in eight seconds


@pytest.mark.realtime
@pytest.mark.parametrize("what", [be_silent, send_headers_without_end, answer_nonsense, hang_up])
def test_a_server_that_never_comes_to_the_point_is_unreachable_in_bounded_time(
    what: Callable[[socket.socket], None], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    began_s = time.monotonic()
    assert error(serve(what)).camera_reason in {CameraReason.UNREACHABLE, CameraReason.WRONG_FORMAT}
    assert time.monotonic() - began_s < 5.0


@pytest.mark.realtime
def test_a_server_that_is_not_there_is_unreachable() -> None:
    assert error("rtsp://127.0.0.1:1/camera").camera_reason is CameraReason.UNREACHABLE


@pytest.mark.realtime
def test_a_stop_does_not_wait_for_a_server_that_says_nothing(
    serve: Callable[[Callable[[socket.socket], None]], str],
) -> None:
    sink = RecordingSink()
    threading.Timer(0.1, sink.stopping.set).start()
    began_s = time.monotonic()
    sink.record(RtspSource(serve(be_silent), open_timeout_s=2.0))
    assert time.monotonic() - began_s < 1.0
