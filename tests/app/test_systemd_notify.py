import os
import socket
from pathlib import Path

import pytest

from belvedere.app.systemd_notify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.setblocking(False)
    return listener


def test_systemd_is_notified_of_ready_alive_and_stopping(systemd: socket.socket) -> None:
    with systemd:
        notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "10000000"})
        notifier.ready()
        notifier.alive()
        notifier.stopping()
        assert [systemd.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
        assert notifier.watchdog_s == 5


@pytest.mark.parametrize("usec", ["", "soon"])
def test_without_a_watchdog_alive_sends_nothing(systemd: socket.socket, usec: str) -> None:
    with systemd:
        notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": usec})
        notifier.alive()
        assert notifier.watchdog_s is None
        with pytest.raises(BlockingIOError):
            systemd.recv(64)


def test_a_watchdog_for_another_process_is_ignored(systemd: socket.socket) -> None:
    with systemd:
        environment = {
            "NOTIFY_SOCKET": systemd.getsockname(),
            "WATCHDOG_USEC": "1",
            "WATCHDOG_PID": str(os.getpid() + 1),
        }
        assert Notifier(environment).watchdog_s is None


def test_without_systemd_nothing_is_sent_and_nothing_fails(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()


def test_an_abstract_socket_works_too() -> None:
    name = f"belvedere-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert listener.recv(64) == b"READY=1"
