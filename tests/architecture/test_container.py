"""The image's files fit each other and the program; `make test-deploy` builds and runs the image itself."""

from __future__ import annotations

import fnmatch
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.architecture.loading import module_at

from belvedere.app.settings import read_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/container"
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
_, BUILDER, FINAL = re.split(r"^FROM .*$", CONTAINERFILE, flags=re.MULTILINE)


def copied() -> list[str]:
    """The paths of the clone that the stages copy."""
    lines = [line.split()[1:-1] for line in CONTAINERFILE.splitlines() if line.startswith("COPY ")]
    return [word for line in lines if line[0] != "--from=builder" for word in line if not word.startswith("--")]


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore keeps a path from the builder: the last pattern that names it or a parent decides."""
    parents = [str(parent) for parent in [Path(path), *Path(path).parents] if str(parent) != "."]
    ignored = False
    for pattern in patterns:
        bare = pattern.removeprefix("!").removeprefix("**/")
        names = [Path(parent).name for parent in parents] if "**/" in pattern else parents
        if any(fnmatch.fnmatchcase(name, bare) for name in names):
            ignored = not pattern.startswith("!")
    return ignored


def test_what_the_builder_copies_reaches_it_and_nothing_built_or_secret_does() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert copied()
    assert not [path for path in copied() if not (ROOT / path).exists() or is_ignored(path, patterns)]
    others = ["belvedere.toml", ".git/config", "web/node_modules/x", "src/belvedere/gateway/page/index.html", ".env"]
    assert [path for path in others if not is_ignored(path, patterns)] == []


def test_the_last_stage_installs_nothing_and_runs_as_nobody_in_particular() -> None:
    assert not re.search(r"\b(apt-get|pip3? install|curl|wget|npm|ADD)\b", FINAL)
    assert re.findall(r"^USER (.+)$", FINAL, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^STOPSIGNAL (.+)$", FINAL, re.MULTILINE) == ["SIGTERM"]


def test_whatever_is_installed_has_a_checksum_but_our_own_wheel() -> None:
    installs = re.findall(r"pip .*?install (.*?)(?:&&|\n(?! ))", BUILDER.replace("\\\n", ""), re.DOTALL)
    assert len(installs) == 3
    *others, ours = installs
    assert all("--require-hashes" in each for each in others)
    assert "--no-index" in ours
    assert "--no-deps" in ours


def test_the_settings_of_a_container_that_was_given_none_are_valid_and_listen_where_it_is_asked(
    healthcheck: ModuleType,
) -> None:
    server = read_config(FOLDER / "belvedere.toml").settings.server
    assert (server.host, server.port) == ("0.0.0.0", 8080)  # noqa: S104 - the container's own interfaces
    assert re.findall(r"^EXPOSE (.+)$", FINAL, re.MULTILINE) == [str(server.port)]
    assert ("127.0.0.1", server.port) == healthcheck.ADDRESS


@pytest.fixture
def healthcheck() -> ModuleType:
    return module_at(FOLDER / "healthcheck.py")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def answer_once(listener: socket.socket, answer: bytes) -> threading.Thread:
    def serve() -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "503"),
        (b"", "answered"),
        (b"x" * 10_000, "answered"),
    ],
)
def test_the_health_check_says_what_the_server_answered(
    healthcheck: ModuleType, listener: socket.socket, answer: bytes, problem: str | None
) -> None:
    thread = answer_once(listener, answer)
    said = healthcheck.problem("/healthz", listener.getsockname())
    thread.join()
    assert said is None if problem is None else problem in said


@pytest.mark.realtime
def test_the_health_check_says_that_nobody_listens(healthcheck: ModuleType, listener: socket.socket) -> None:
    address = listener.getsockname()
    listener.close()
    assert "refused" in healthcheck.problem("/healthz", address)


@pytest.mark.realtime
def test_the_health_check_does_not_wait_for_ever(
    healthcheck: ModuleType, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healthcheck, "TIMEOUT_S", 0.05)
    assert "timed out" in healthcheck.problem("/healthz", listener.getsockname())


@pytest.mark.realtime
def test_the_health_check_imports_next_to_nothing() -> None:
    script = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", script, str(FOLDER / "healthcheck.py")]
    modules = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert {"asyncio", "belvedere", "email", "http", "json", "ssl", "urllib"}.isdisjoint(modules)


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_first_process_ends_by_a_signal_while_the_program_is_imported(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "belvedere").mkdir()
    (tmp_path / "belvedere/__init__.py").touch()
    slow = "import signal\nprint('importing', flush=True)\nsignal.pause()\n"
    (tmp_path / "belvedere/cli.py").write_text(slow, encoding="utf-8")
    command = [sys.executable, "-P", str(FOLDER / "entrypoint.py"), "serve"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "STATE_DIRECTORY": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"importing\n"
        process.send_signal(number)
        assert (
            process.wait(10) == 128 + number
        )  # a process without a handler reports -number, and as the first does not end


@pytest.mark.realtime
def test_a_state_folder_that_cannot_be_written_is_named_before_anything_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(FOLDER / "entrypoint.py"), "serve"]
    environment = {**os.environ, "STATE_DIRECTORY": str(tmp_path / "absent")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert str(tmp_path / "absent") in ended.stderr
    assert f"user {os.getuid()}" in ended.stderr


@pytest.mark.realtime
def test_a_command_that_keeps_no_state_needs_no_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(FOLDER / "entrypoint.py"), "--version"]
    environment = {**os.environ, "STATE_DIRECTORY": str(tmp_path / "absent")}
    subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
