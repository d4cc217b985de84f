"""The image is built by `make image`, and serves and stops as a container."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.deploy import containers, tools
from tests.deploy.containers import COMMAND_S, USER, Container, mounts
from tools.licence_policy import read_policy

from belvedere.head.frames import unpack
from belvedere.head.profile import shipped_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deploy.containers import Storage

pytestmark = pytest.mark.slow  # the image is built first
CONTAINER = tools.ROOT / "deploy/container"
PYTHON = "/opt/belvedere/venv/bin/python"
SETTINGS = """[server]
host = "0.0.0.0"
[head]
kind = "virtual"
[camera]
kind = "pattern"
"""
OPEN = "Belvedere is open"
ASK = """import json, sys, urllib.error, urllib.request
for path in sys.argv[1:]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:8080{path}", timeout=10) as answer:
            print(path, answer.status, len(answer.read()))
    except urllib.error.HTTPError as error:
        print(path, error.code, 0)
"""
CALL_AWS = """from belvedere.stage.ivs.aws_api import create_client
client = create_client("eu-central-1", "AKIAEXAMPLE", "secret")
print(client.meta.endpoint_url, hasattr(client, "disconnect_participant"))
"""
DRIVE = """import json, sys, time, urllib.request
def ask(path, body=None):
    headers = {"Authorization": "Bearer " + sys.argv[1], "Content-Type": "application/json"}
    request = urllib.request.Request("http://127.0.0.1:8080" + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)
while (parts := ask("/readyz")["parts"])["pan"] != "ready" or parts["tilt"] != "ready":
    time.sleep(0.1)
sent = 0
while True:
    ask("/api/v1/head/velocity", {"pan": 0.5, "tilt": 0.25})
    sent += 1
    if sent == 10:
        print("driving", flush=True)
    time.sleep(0.05)
"""


def own(folder: Path) -> Path:
    """Give a new folder to the user of the container."""
    folder.mkdir()
    folder.chmod(0o700)
    os.chown(folder, USER, USER)
    return folder


@pytest.fixture(scope="session")
def demo_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a virtual head needs beyond the image: the packages of the demo's lock that the image's lock has not."""
    folder = tmp_path_factory.mktemp("demo")
    locks = [(tools.ROOT / f"requirements/{name}.lock").read_text(encoding="utf-8") for name in ("demo", "runtime")]
    entries = [re.findall(r"^[a-z].*?(?=^[a-z#]|\Z)", lock, re.MULTILINE | re.DOTALL) for lock in locks]
    held = {entry.partition("==")[0] for entry in entries[1]}
    more = [entry for entry in entries[0] if entry.partition("==")[0] not in held]
    (folder / "more.lock").write_text("".join(more), encoding="utf-8")
    command = [str(tools.ROOT / ".venv/bin/uv"), "pip", "install", "--quiet", "--system-certs", "--no-deps"]
    command += ["--python", sys.executable, "--target", str(folder / "packages"), "--python-version", "3.11"]
    command += ["--require-hashes", "-r", str(folder / "more.lock")]
    subprocess.run(command, check=True, timeout=300)
    folder.chmod(0o755)
    return folder / "packages"


@contextmanager
def virtual_house(storage: Storage, image: str, demo_packages: Path, folder: Path) -> Iterator[tuple[Container, Path]]:
    """A container with a virtual head that is open, and its state folder."""
    state = own(folder / "state")
    settings = folder / "belvedere.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    volumes = {
        state: "/var/lib/belvedere",
        settings: "/etc/belvedere/belvedere.toml:ro",
        demo_packages: "/demo:ro",
        tools.ROOT / "tests/deploy/spy": "/spy:ro",
    }
    options = (*mounts(volumes), "--env=PYTHONPATH=/spy:/demo")
    with Container(storage, image, options=options) as container:
        container.wait_for(OPEN)
        yield container, state


@pytest.fixture(scope="module")
def house(
    image_storage: Storage, image: str, demo_packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """A container that serves."""
    with virtual_house(image_storage, image, demo_packages, tmp_path_factory.mktemp("house")) as (container, _state):
        yield container


def test_it_serves_the_page_and_answers_probes(house: Container) -> None:
    answers = house.run(PYTHON, "-c", ASK, "/", "/healthz", "/readyz", "/api/v1/head").stdout.split("\n")
    found = {path: (int(status), int(size)) for path, status, size in (line.split() for line in answers if line)}
    assert [found[path][0] for path in ("/", "/healthz", "/readyz")] == [200, 200, 200]
    assert found["/"][1] > 500
    assert found["/api/v1/head"][0] in {401, 404}  # nobody came in


def test_the_engine_finds_it_healthy_by_its_own_check(image_storage: Storage, house: Container) -> None:
    assert "unhealthy" not in image_storage.podman("healthcheck", "run", house.name)
    wrong = house.run(PYTHON, "-I", "-S", "/opt/belvedere/healthcheck.py", "/nowhere")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("unhealthy: /nowhere: answered")


def test_it_runs_as_nobody_in_particular_with_no_capability_on_a_root_that_it_cannot_write(house: Container) -> None:
    status = house.run("cat", "/proc/1/status").stdout
    assert re.findall(r"^[UG]id:\t(\d+)\t(\d+)", status, re.MULTILINE) == [(str(USER), str(USER))] * 2
    assert set(re.findall(r"^Cap(?:Eff|Prm|Bnd):\t(\w+)", status, re.MULTILINE)) == {"0" * 16}
    assert "NoNewPrivs:\t1" in status
    for path in ("/opt/belvedere/x", "/etc/belvedere/x", "/x"):
        assert house.run("touch", path).returncode != 0
    assert house.run("touch", "/tmp/x", "/var/lib/belvedere/x").returncode == 0  # noqa: S108 - the container's


def test_it_can_call_amazon_ivs_with_what_is_left_of_the_library_for_aws(house: Container) -> None:
    called = house.run(PYTHON, "-c", CALL_AWS)
    assert called.stdout == "https://ivsrealtime.eu-central-1.amazonaws.com True\n", called.stderr


def test_the_owner_is_invited_by_a_command_in_it(house: Container) -> None:
    invited = house.run("belvedere", "people", "invite", "--config", "/etc/belvedere/belvedere.toml")
    assert invited.returncode == 0, invited.stderr
    assert "#" in invited.stdout


def test_a_second_container_with_the_same_state_ends_and_says_why(
    image_storage: Storage, image: str, demo_packages: Path, tmp_path: Path
) -> None:
    with virtual_house(image_storage, image, demo_packages, tmp_path) as (_first, state):
        with Container(image_storage, image, options=mounts({state: "/var/lib/belvedere"})) as second:
            assert second.wait() == 2
        assert any("another" in line.lower() for line in second.lines), second.lines


def test_it_stops_the_head_and_exits_within_five_seconds_of_the_stop_signal(
    image_storage: Storage, image: str, demo_packages: Path, tmp_path: Path
) -> None:
    with virtual_house(image_storage, image, demo_packages, tmp_path) as (container, state):
        create = ("belvedere", "tokens", "create", "robot", "--scope", "drive", "--json")
        created = container.run(*create, "--config", "/etc/belvedere/belvedere.toml")
        assert created.returncode == 0, created.stderr
        secret = json.loads(created.stdout)["secret"]
        with container.start(PYTHON, "-c", DRIVE, secret) as driver:
            assert driver.stdout is not None
            assert driver.stdout.readline() == "driving\n", container.lines
            status, took_s = container.stop()
            driver.kill()
    tools.MEASURED.append(f"image: stopped {took_s:.2f} s after the stop signal, while the head turned")
    assert status == 0, container.lines  # the program says 1 where it could not stop a unit
    assert took_s < 5
    layout = shipped_profile("zeapon-pons-pt").frame
    for unit in sorted(state.glob("PONS-*.json")):
        frames = [bytes.fromhex(frame) for _at_s, frame in json.loads(unit.read_text(encoding="utf-8"))]
        speeds = [unpack(layout, frame) for frame in frames]
        assert any(speeds[:-1]), unit.name
        assert not speeds[-1], f"{unit.name} was left turning: {frames[-3:]}"
    assert len(list(state.glob("PONS-*.json"))) == 2


def test_a_stop_signal_before_the_server_is_there_ends_it_too(
    image_storage: Storage, image: str, tmp_path: Path
) -> None:
    slow = tmp_path / "sitecustomize.py"  # in place of a slow computer: the program is found, and never imported whole
    slow.write_text(
        "import os, sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'belvedere.cli' and os.getpid() == 1:\n"
        "            print('importing', flush=True)\n"
        "            time.sleep(600)\n"
        "sys.meta_path.insert(0, Slow())\n",
        encoding="utf-8",
    )
    tmp_path.chmod(0o755)
    volumes = mounts({own(tmp_path / "state"): "/var/lib/belvedere", tmp_path: "/slow:ro"})
    with Container(image_storage, image, options=(*volumes, "--env=PYTHONPATH=/slow")) as container:
        container.wait_for("importing")
        status, took_s = container.stop()
    assert status == 128 + 15
    assert took_s < 5


@pytest.mark.parametrize("kind", ["read-only", "of another user"])
def test_a_state_folder_that_cannot_be_written_ends_it_with_one_line(
    image_storage: Storage, image: str, tmp_path: Path, kind: str
) -> None:
    folder = own(tmp_path / "state")
    if kind == "of another user":
        os.chown(folder, 0, 0)
    target = "/var/lib/belvedere:ro" if kind == "read-only" else "/var/lib/belvedere"
    with Container(image_storage, image, options=mounts({folder: target})) as container:
        assert container.wait() == 2
    (line,) = container.lines
    assert line.startswith("belvedere: the state folder /var/lib/belvedere cannot be written")
    assert f"user {USER}" in line


def test_it_serves_a_pattern_where_no_settings_are_given(image_storage: Storage, image: str, tmp_path: Path) -> None:
    options = mounts({own(tmp_path / "state"): "/var/lib/belvedere"})
    with Container(image_storage, image, options=options) as container:
        container.wait_for(OPEN)
        assert container.run(PYTHON, "-c", ASK, "/readyz").stdout.startswith("/readyz 200")
        status, _took_s = container.stop()
    assert status == 0


PODMAN = """#!/bin/sh
if [ "$1" = run ]; then shift; set -- run --pull never {here} "$@"; fi
exec {podman} "$@"
"""
HERE = {
    "/etc/belvedere/belvedere.toml:/": "{folder}/belvedere.toml:/",
    "/run/dbus:/": "{folder}:/",
    "--device /dev/video0": "--device /dev/null:/dev/video0",
    "--publish 127.0.0.1:8080:8080": "--network none",
}
"""What this machine has in place of what the how-to names."""


@pytest.fixture
def how_to(image_storage: Storage, image: str, tmp_path: Path) -> Iterator[list[str]]:
    """The commands of the how-to, for the image and the podman of this test."""
    assert image
    shutil.copy(CONTAINER / "belvedere.toml", tmp_path)
    (tmp_path / "belvedere.toml").chmod(0o644)
    podman = shlex.join(image_storage.podman_command())
    for name, text in {
        "podman": PODMAN.format(podman=podman, here=shlex.join(containers.HERE)),
        "getent": "#!/bin/sh\necho a-group:x:4242:\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    page = (tools.ROOT / "docs/how-to/run-in-a-container.md").read_text(encoding="utf-8")
    found = [block for block in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "podman" in block]
    for there, here in HERE.items():
        assert there in found[0], there
        found = [block.replace(there, here.format(folder=tmp_path)) for block in found]
    yield [f"cd {tmp_path}; export PATH={tmp_path}:$PATH; {block}" for block in found]
    image_storage.podman("rm", "--force", "--time", "0", "--ignore", "belvedere")


def wait_until_open(storage: Storage, name: str, times: int) -> None:
    """Wait until a container that runs detached has said for so many times that it is open."""
    follow = storage.podman_command("logs", "--follow", name)
    with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as log:
        assert log.stdout is not None
        seen = (line for line in log.stdout if OPEN in line)
        assert len(list(itertools.islice(seen, times))) == times
        log.terminate()


def test_the_commands_of_the_how_to_run_it_invite_back_up_restore_and_show_the_bill(
    image_storage: Storage, how_to: list[str], tmp_path: Path
) -> None:
    run, invite, back_up, restore, show = how_to

    def output(script: str) -> str:
        ended = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=False, timeout=COMMAND_S)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    output(run)
    wait_until_open(image_storage, "belvedere", 1)
    assert "#" in output(invite)
    ana, bob = (invite.replace("people invite", f"people invite {name}") for name in ("Ana", "Bob"))
    output(ana)
    output(back_up)
    assert stat.S_IMODE((tmp_path / "home.zip").stat().st_mode) == 0o600
    output(bob)
    output(restore)
    wait_until_open(image_storage, "belvedere", 2)
    people = output(invite.replace("people invite", "people list"))
    assert "Ana" in people
    assert "Bob" not in people
    output(show)
    assert json.loads((tmp_path / "sbom.cdx.json").read_text(encoding="utf-8"))["bomFormat"] == "CycloneDX"


def test_its_labels_and_configuration_say_what_it_is(image_storage: Storage, image: str) -> None:
    (described,) = json.loads(image_storage.podman("image", "inspect", image))
    configured, labels = described["Config"], described["Labels"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tools.ROOT, capture_output=True, text=True, check=True)
    assert labels["org.opencontainers.image.revision"] == head.stdout.strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", labels["org.opencontainers.image.version"])
    assert labels["org.opencontainers.image.base.name"] == "localhost/base"
    assert configured["User"] == "10001:10001"
    assert configured["StopSignal"] == "SIGTERM"
    assert "8080/tcp" in configured["ExposedPorts"]
    assert described["Healthcheck"]["Test"][0] == "CMD"


def test_the_licences_say_what_ffmpeg_says_of_itself(house: Container) -> None:
    script = "from av._core import library_meta; print(library_meta['libavcodec'])"
    described = ast.literal_eval(house.run(PYTHON, "-c", script).stdout)
    assert described["license"] == "LGPL version 3 or later"
    assert "--enable-libx264" in described["configuration"]
    policy = read_policy(CONTAINER / "licences.toml")
    assert policy.allows("libavcodec", policy.libraries["libavcodec"])
    assert policy.libraries["libx264"] == "GPL-2.0-or-later"


def test_hadolint_has_nothing_to_say() -> None:
    command = [tools.checker("hadolint"), "--failure-threshold", "style", str(CONTAINER / "Containerfile")]
    linted = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert linted.returncode == 0, linted.stdout
