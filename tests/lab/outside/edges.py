"""Small web servers on loopback that answer as the edges of houses do; all of what one sends is decided by the test."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

HOST: Final = "127.0.0.1"
TIMEOUT_S: Final = 10.0
MAX_HEAD: Final = 16 * 1024


@contextlib.contextmanager
def edge(serve: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Call `serve` for each connection, in a thread of its own, after the TLS handshake; gives the port."""
    threads: list[threading.Thread] = []

    def handle(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            plain.settimeout(TIMEOUT_S)
            if tls is None:
                serve(plain)
            else:
                with tls.wrap_socket(plain, server_side=True) as secure:
                    serve(secure)

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=handle, args=(plain,)))
            threads[-1].start()

    with socket.create_server((HOST, 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def head_of(connection: socket.socket) -> bytes:
    """A request's head, with what came behind it."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MAX_HEAD:
        more = connection.recv(4096)
        if not more:
            break
        head += more
    return head


def answering(status: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Callable[[socket.socket], None]:
    """Answer every request with this, and close."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    answer = "\r\n".join((*lines, f"content-length: {len(body)}", "connection: close", "", "")).encode() + body

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(answer)

    return serve


def proxy(
    port: int, change: Callable[[bytes], bytes] = lambda head: head, change_back: Callable[[bytes], bytes] = bytes
) -> Callable[[socket.socket], None]:
    """Pass each connection on to a port, with its first head changed, and the head of the answer changed back."""

    def serve(connection: socket.socket) -> None:
        with socket.create_connection((HOST, port), TIMEOUT_S) as server:
            head, mark, rest = head_of(connection).partition(b"\r\n\r\n")
            server.sendall(change(head) + mark + rest)
            sending = threading.Thread(target=_pump, args=(connection, server))
            sending.start()
            with contextlib.suppress(OSError):
                head, mark, rest = head_of(server).partition(b"\r\n\r\n")
                connection.sendall(change_back(head) + mark + rest)
                _pump(server, connection)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            sending.join()

    return serve


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass everything on, and the end as well: who is not told waits for it."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def with_header(head: bytes, name: bytes, value: bytes) -> bytes:
    """A head in which a header is replaced, or added at the end."""
    return without_header(head, name) + b"\r\n" + name + b": " + value


def without_header(head: bytes, name: bytes) -> bytes:
    """A head without a header."""
    lines = head.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(name.lower() + b":"))
