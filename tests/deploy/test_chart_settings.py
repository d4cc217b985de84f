"""The settings that the chart writes are settings of Belvedere, and a server starts with them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.deploy import chart
from tests.deploy.chart import Object, containers, of_kind, pods
from tests.support.serving import free_ports, running

from belvedere.app.settings import Config, read_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A_SECRET = "a-secret-of-at-least-twenty-letters"  # noqa: S105 - of nobody


def place(found: list[Object], room: str, folder: Path) -> Path:
    """Put into a folder what the pod of a room has in /etc/belvedere; returns the path of the settings."""
    (volume,) = [each for each in pods(found)[room]["spec"]["volumes"] if each["name"] == "settings"]
    for source in volume["projected"]["sources"]:
        if "configMap" in source:
            (config_map,) = [
                each for each in of_kind(found, "ConfigMap") if each["metadata"]["name"] == source["configMap"]["name"]
            ]
            for name, text in config_map["data"].items():
                (folder / name).write_text(text, encoding="utf-8")
        for item in source.get("secret", {}).get("items", []):
            path = folder / item["path"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(A_SECRET, encoding="utf-8")
            path.chmod(0o440)
    return folder / "belvedere.toml"


def rooms_of(found: list[Object]) -> list[str]:
    return [name for name, pod in pods(found).items() if "belvedere/room" in pod["metadata"]["labels"]]


@pytest.mark.parametrize("name", chart.ACCEPTED)
def test_belvedere_accepts_the_settings_of_every_room(name: str, tmp_path: Path) -> None:
    found = chart.objects(name)
    rooms = rooms_of(found)
    assert rooms
    for room in rooms:
        (tmp_path / room).mkdir()
        config = read_config(place(found, room, tmp_path / room))
        port = next(each for each in containers(pods(found)[room])[0]["ports"] if each["name"] == "http")
        assert config.settings.server.port == port["containerPort"]
        assert config.settings.server.host in {"0.0.0.0", "::"}  # noqa: S104 - in a pod
        assert "127.0.0.1" in config.settings.server.trusted_proxies


def config_of(name: str, room: str, folder: Path) -> Config:
    return read_config(place(chart.objects(name), room, folder))


def test_numbers_texts_and_tables_arrive_as_they_were_given(tmp_path: Path) -> None:
    text = place(chart.objects("traefik"), "house-belvedere", tmp_path).read_text(encoding="utf-8")
    assert "session_s = 2592000\n" in text
    table = tomllib.loads(text)
    assert table["access"] == {"idle_s": 604800.5, "session_s": 2592000}
    assert table["control"]["tilt"] == {"min_deg": -25, "max_deg": 25}
    assert table["head"]["pan"]["address"] == "C0:FF:EE:00:00:01"
    servers = tomllib.loads(place(chart.objects("turn"), "house-belvedere", tmp_path).read_text(encoding="utf-8"))
    assert [each["url"] for each in servers["stage"]["ice_servers"]] == [
        "stun:stun.example.org:3478",
        "turn:other.example.org:3478?transport=udp",
    ]


def test_a_room_has_what_all_have_but_for_what_it_says_or_takes_back(tmp_path: Path) -> None:
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "study").mkdir()
    kitchen = config_of("two-rooms", "house-belvedere-kitchen", tmp_path / "kitchen").settings
    study = config_of("two-rooms", "house-belvedere-study", tmp_path / "study").settings
    assert (kitchen.stage.fps, study.stage.fps) == (25, 30)
    assert [each.camera.__struct_config__.tag for each in (kitchen, study)] == ["rtsp", "v4l2"]
    assert (kitchen.server.base_path, study.server.base_path) == ("/kitchen", "/study")


def test_each_room_lists_all(tmp_path: Path) -> None:
    text = place(chart.objects("two-rooms"), "house-belvedere-kitchen", tmp_path).read_text(encoding="utf-8")
    assert tomllib.loads(text)["rooms"] == [
        {"name": "Kitchen", "url": "https://home.example.org/kitchen"},
        {"name": "study", "url": "https://home.example.org/study"},
    ]


class Pod:
    """A process that runs as a room's container would, with its arguments, environment and files.

    Attributes:
        url: where it listens.
    """

    def __init__(self, folder: Path, found: list[Object], port: int) -> None:
        (self._container,) = containers(pods(found)["house-belvedere"])
        self._settings = place(found, "house-belvedere", folder)
        self._state = folder / "state"
        self._state.mkdir()
        self.url = f"http://127.0.0.1:{port}"

    def command(self, *arguments: str) -> list[str]:
        """Arguments of `belvedere` in the container, as a command here."""
        here = [str(self._settings) if each == "/etc/belvedere/belvedere.toml" else each for each in arguments]
        return [sys.executable, "-m", "belvedere.cli", *here]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the container, with the state folder here."""
        given = {each["name"]: each["value"] for each in self._container["env"]}
        assert given["STATE_DIRECTORY"] == "/var/lib/belvedere"
        return {**os.environ, **given, "STATE_DIRECTORY": str(self._state)}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run until the end of the block, which must be in order."""
        command = self.command(*self._container["args"])
        with running(command, self._state / "log", "is open", self.environment):
            yield

    def run(self, *arguments: str) -> str:
        """Run a command in the container, as `kubectl exec` does; returns what it prints."""
        command = self.command(*arguments)
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[tuple[Pod, list[Object]]]:
    """A room that runs as the chart has it, at a port that is free here."""
    port = free_ports(1)[0]
    ended = chart.template(4, "nginx", "--set", f"room.port={port}")
    assert ended.returncode == 0, ended.stderr
    found = chart.parsed(ended.stdout)
    server = Pod(tmp_path, found, port)
    with server.running():
        yield server, found


def checked(found: list[Object], *rooms: str) -> subprocess.CompletedProcess[str]:
    """Run what `helm test` runs, for other addresses."""
    (test,) = of_kind(found, "Pod")
    (container,) = containers(test)
    assert container["command"] == ["python3", "-I", "-c"]
    program, *given = container["args"]
    assert given == ["http://house-belvedere home.example.org"]
    command = [sys.executable, "-I", "-c", program, *rooms]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.realtime
def test_helms_test_accepts_a_room_that_runs_and_names_what_is_wrong_with_another(
    pod: tuple[Pod, list[Object]],
) -> None:
    server, found = pod
    good = checked(found, f"{server.url} home.example.org")
    assert (good.returncode, good.stderr) == (0, "")
    assert "engine running" in good.stdout
    wrong_name = checked(found, f"{server.url} other.example.org")
    assert wrong_name.returncode == 1
    assert "does not serve its page as other.example.org: 421" in wrong_name.stdout
    nobody = checked(found, f"http://127.0.0.1:{free_ports(1)[0]} home.example.org", f"{server.url} home.example.org")
    assert nobody.returncode == 1
    assert "does not answer" in nobody.stdout


@pytest.mark.realtime
def test_the_owners_invitation_is_a_link_that_works_from_elsewhere(pod: tuple[Pod, list[Object]]) -> None:
    server, _ = pod
    printed = server.run("people", "invite", "--config", "/etc/belvedere/belvedere.toml")
    assert re.search(r"https://home\.example\.org/join#\S+", printed), printed


@pytest.mark.realtime
def test_a_backup_that_was_made_while_it_ran_is_restored_while_it_waits(tmp_path: Path) -> None:
    port, backup = free_ports(1)[0], str(tmp_path / "home.zip")
    found = chart.parsed(chart.template(4, "nginx", "--set", f"room.port={port}").stdout)
    server = Pod(tmp_path, found, port)
    here = ("--config", "/etc/belvedere/belvedere.toml")
    with server.running():
        server.run("people", "invite", "Ana", *here)
        server.run("backup", *here, backup)
        server.run("people", "revoke", "Ana", *here)
    server.run("restore", "--store-only", *here, backup)
    assert "Ana" in server.run("people", "list", *here)


@pytest.mark.realtime
def test_config_check_says_that_the_settings_are_valid(tmp_path: Path) -> None:
    settings = place(chart.objects("turn"), "house-belvedere", tmp_path)
    command: list[Any] = [sys.executable, "-m", "belvedere.cli", "config", "check", settings]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "is valid" in ended.stdout
