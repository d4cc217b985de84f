from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.app.run import force_exit, run
from belvedere.app.settings import DEMO, resolve
from belvedere.errors import OwnerError
from belvedere.gateway.options import GatewayOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.realtime
def test_a_process_that_cannot_end_is_forced_to_exit_with_its_status() -> None:
    left: queue.Queue[int] = queue.Queue()
    force_exit(1, 0.0, left.put)
    assert left.get(timeout=10) == 1


@pytest.mark.realtime
def test_a_process_that_ends_in_time_is_left_alone() -> None:
    left: queue.Queue[int] = queue.Queue()
    timer = force_exit(0, 3600, left.put)
    timer.cancel()
    timer.join(10)
    assert left.empty()


@pytest.mark.realtime
def test_an_owner_error_is_raised_unchanged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = resolve(msgspec.structs.replace(DEMO, server=GatewayOptions(port=taken.getsockname()[1])))
        with pytest.raises(OwnerError, match="cannot listen"):
            run(config, print)


@pytest.mark.realtime
def test_what_the_settings_warn_of_is_logged_once_before_anything_starts(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = resolve(msgspec.structs.replace(DEMO, server=GatewayOptions(port=taken.getsockname()[1])))
        with pytest.raises(OwnerError):
            run(msgspec.structs.replace(config, warnings=("the picture is a pattern",)), print)
        with pytest.raises(OwnerError):
            run(config, print)
    (line,) = capfd.readouterr().err.splitlines()
    assert "WARNING" in line
    assert "the picture is a pattern" in line


@pytest.mark.realtime
def test_a_log_that_nobody_reads_delays_neither_answers_nor_shutdown(tmp_path: Path) -> None:
    settings = tmp_path / "belvedere.toml"
    settings.write_text('[server]\nport = 0\n[head]\nkind = "none"\n[store]\nfile = ""\n')
    reading, writing = os.pipe()
    fill(writing)
    command = [sys.executable, "-m", "belvedere.cli", "serve", "--config", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=writing, text=True) as process:
        try:
            assert process.stdout is not None
            host, port = process.stdout.readline().split("//")[1].split(";")[0].split(":")
            for _ in range(3):
                with socket.create_connection((host, int(port)), timeout=10) as stranger:
                    stranger.sendall(b"nonsense\r\n\r\n")  # costs a line
                    assert stranger.recv(100).startswith(b"HTTP/1.1 400 ")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
    os.close(reading)
    os.close(writing)


def fill(pipe: int) -> None:
    """Fill the pipe; the next write to it blocks."""
    os.set_blocking(pipe, False)
    for piece in (b"x" * 4096, b"x"):
        try:
            while True:
                os.write(pipe, piece)
        except BlockingIOError:
            continue
    os.set_blocking(pipe, True)


OPEN_AND_END = """
import gc, os, signal
import msgspec
from belvedere.app.run import run
from belvedere.app.settings import NoHeadSettings, Settings, StoreSettings, resolve
from belvedere.gateway.options import GatewayOptions

def opened(_what):
    print(len(gc.get_objects()))
    os.kill(os.getpid(), signal.SIGTERM)

head, store = NoHeadSettings(), StoreSettings(file="")
run(resolve(Settings(server=GatewayOptions(port=0), head=head, store=store)), opened)
"""

ANNOUNCE_SLOWLY = """
import os, signal, urllib.request
from belvedere.app.run import run
from belvedere.app.settings import NoHeadSettings, Settings, StoreSettings, resolve
from belvedere.gateway.options import GatewayOptions

def announce(opened):
    print(urllib.request.urlopen(opened.address + "/readyz", timeout=10).status)
    os.kill(os.getpid(), signal.SIGTERM)

head, store = NoHeadSettings(), StoreSettings(file="")
run(resolve(Settings(server=GatewayOptions(port=0), head=head, store=store)), announce)
"""


@pytest.mark.realtime
def test_requests_are_answered_while_the_link_is_announced() -> None:
    done = subprocess.run([sys.executable, "-c", ANNOUNCE_SLOWLY], capture_output=True, text=True, check=True)
    assert done.stdout == "200\n"


@pytest.mark.realtime
def test_once_the_server_listens_a_garbage_collection_has_little_to_traverse() -> None:
    done = subprocess.run([sys.executable, "-c", OPEN_AND_END], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000
