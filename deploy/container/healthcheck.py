"""Exits with 0 if the server in this container answers its liveness probe, and with 1 and one line otherwise.

    python -I -S healthcheck.py [/path]

A container engine starts this every half minute, also on a Raspberry Pi, so it imports nothing but the socket.
"""

from __future__ import annotations

import sys
from socket import create_connection

ADDRESS = ("127.0.0.1", 8080)
PATH = "/healthz"
TIMEOUT_S = 4.0  # less than the engine's own, so that the reason is seen


def problem(path: str, address: tuple[str, int] = ADDRESS) -> str | None:
    """Ask the server; returns what is wrong, or None."""
    try:
        with create_connection(address, TIMEOUT_S) as connection:
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                status = answer.readline(256).split()
    except OSError as error:
        return f"{address[0]}:{address[1]}{path}: {error}"
    return None if status[1:2] == [b"200"] else f"{path}: answered {b' '.join(status)!r}"


if __name__ == "__main__":
    found = problem(sys.argv[1] if len(sys.argv) > 1 else PATH)
    if found is not None:
        sys.exit(f"unhealthy: {found}")
