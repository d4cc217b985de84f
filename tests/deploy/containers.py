"""Builds images and runs containers, in a storage that is gone afterwards."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.deploy import tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BUILD_S = 900
COMMAND_S = 300
USER = 10001
HERE = ("--health-interval", "disable", "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024")
"""What podman needs where there is no systemd to time health checks, and where limits cannot be raised."""


class Storage:
    """A place for images and containers, apart from the machine's own."""

    def __init__(self, folder: Path) -> None:
        self.options = ["--root", str(folder / "storage"), "--runroot", str(folder / "run"), *_driver(folder)]
        self._podman_options = [
            *self.options, "--runtime", tools.debian("runc"), "--tmpdir", str(folder / "tmp"),
            "--cgroup-manager", "cgroupfs", "--events-backend", "file",
        ]  # fmt: skip

    def buildah(self, *arguments: str) -> str:
        """Run buildah; returns what it printed."""
        return _output([tools.debian("buildah"), *self.options, *arguments], COMMAND_S)

    def podman_command(self, *arguments: str) -> list[str]:
        """The command line of podman with these arguments."""
        return [tools.debian("podman"), *self._podman_options, *arguments]

    def podman(self, *arguments: str) -> str:
        """Run podman; returns what it printed."""
        return _output(self.podman_command(*arguments), COMMAND_S)

    def import_folder(self, folder: Path, name: str) -> None:
        """Make an image of a folder."""
        container = self.buildah("from", "scratch").strip()
        mounted = self.buildah("mount", container).strip()
        subprocess.run(["cp", "-a", f"{folder}/.", mounted], check=True, timeout=COMMAND_S)
        self.buildah("commit", "--rm", container, name)

    @contextlib.contextmanager
    def files_of(self, image: str) -> Iterator[Path]:
        """The folder with an image's files, to read."""
        container = self.buildah("from", "--pull-never", image).strip()
        try:
            yield Path(self.buildah("mount", container).strip())
        finally:
            self.buildah("rm", container)


@contextlib.contextmanager
def storage() -> Iterator[Storage]:
    """A storage for the length of the block. Its path is short, because sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="belvedere-", dir="/var/tmp"))  # on the disk, not in memory
    made = Storage(folder)
    try:
        yield made
    finally:
        made.podman("rm", "--all", "--force", "--time", "0")
        made.buildah("rm", "--all")
        shutil.rmtree(folder)


class Container:
    """A container that runs; at the end of the block it is gone.

    Read-only, without capabilities, without network, and as the user that the image names, whatever a test adds.
    """

    def __init__(self, storage: Storage, image: str, *arguments: str, options: tuple[str, ...] = ()) -> None:
        self.name = f"c{time.monotonic_ns()}"
        self._storage = storage
        hardened = ["--read-only", "--network", "none", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
        command = ["run", "--name", self.name, "--pull", "never", *HERE, *hardened]
        self._process = subprocess.Popen(
            storage.podman_command(*command, *options, image, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith('time="'):  # podman's own
                continue
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def wait_for(self, text: str, timeout_s: float = 240) -> None:
        """Wait until a line has this text in it."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended or any(text in line for line in self.lines), timeout_s)
            assert any(text in line for line in self.lines), "\n".join(self.lines)

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command inside; returns when it has ended, however."""
        line = self._storage.podman_command("exec", "--interactive", self.name, *command)
        return subprocess.run(line, input=text, capture_output=True, text=True, check=False, timeout=COMMAND_S)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command inside."""
        line = self._storage.podman_command("exec", self.name, *command)
        return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)

    def stop(self, timeout_s: int = 240) -> tuple[int, float]:
        """Ask it to stop by the image's stop signal; returns its exit status and how many seconds that took."""
        began = time.monotonic()
        self._storage.podman("stop", "--time", str(timeout_s), self.name)
        return self.wait(timeout_s), time.monotonic() - began

    def wait(self, timeout_s: float = 240) -> int:
        """Wait until it ends by itself; returns its exit status."""
        status = self._process.wait(timeout_s)
        self._reader.join(timeout_s)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._storage.podman("rm", "--force", "--time", "0", "--ignore", self.name)
        self._process.wait(COMMAND_S)
        self._reader.join(COMMAND_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


def mounts(volumes: Mapping[Path, str]) -> tuple[str, ...]:
    """Options that mount each folder or file at a path, which may end in `:ro`."""
    return tuple(f"--volume={source}:{target}" for source, target in volumes.items())


def _driver(folder: Path) -> list[str]:
    """The options for the way in which an image lies below a container: a copy of it only where nothing else works.

    Each copy is 400 MB; but an overlay cannot lie upon another, as where all of this itself runs in a container.
    """
    with tempfile.TemporaryDirectory(dir=folder) as trial:
        places = {name: Path(trial, name) for name in ("lowerdir", "upperdir", "workdir", "merged")}
        for place in places.values():
            place.mkdir()
        merged = str(places.pop("merged"))
        options = ",".join(f"{name}={place}" for name, place in places.items())
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, merged]
        if subprocess.run(mount, capture_output=True, check=False, timeout=COMMAND_S).returncode:
            return ["--storage-driver", "vfs"]
        subprocess.run(["umount", merged], check=True, timeout=COMMAND_S)
    return ["--storage-driver", "overlay", "--storage-opt", "overlay.skip_mount_home=true"]


def _output(command: list[str], timeout_s: float) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)
    assert ended.returncode == 0, f"{command}: {ended.stdout[-4000:]}{ended.stderr[-4000:]}"
    return ended.stdout
