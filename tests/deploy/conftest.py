"""Marks everything in this folder `deploy`, so that no test runs where its tools are not; and builds the image once."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.deploy import debian, tools
from tests.deploy.containers import BUILD_S, Storage, mounts, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SUITE = "bookworm"
RUNTIME_PACKAGES = ("ca-certificates", "python3")
OWNERS_FILES = (
    Path("/etc/ssl/certs"),
    Path("/etc/pip.conf"),
    Path.home() / ".npmrc",
)
"""What tells pip and npm of this machine where to look and whom to trust: the builder gets it for the build alone."""


@pytest.hookimpl(tryfirst=True)  # before the items are selected by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the items of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("deploy")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    if tools.MEASURED:
        text = "".join(f"{line}\n" for line in tools.MEASURED)
        (tools.BUILD / "measured.txt").write_text(text, encoding="utf-8")
        terminalreporter.section("measured")
        terminalreporter.write(text)


@pytest.fixture(scope="session")
def image_storage() -> Iterator[Storage]:
    """A storage for this run alone."""
    with storage() as made:
        yield made


@pytest.fixture(scope="session")
def image(image_storage: Storage) -> str:
    """The image, built by `make image` on a small Debian of this machine's package source."""
    for name, packages in (("base", RUNTIME_PACKAGES), ("builder", (*RUNTIME_PACKAGES, "python3-venv"))):
        image_storage.import_folder(debian.system(SUITE, packages), f"localhost/{name}")
    engine = " ".join([tools.debian("buildah"), *image_storage.options])
    owners = [path for path in OWNERS_FILES if path.exists()]
    arguments = ["--isolation=chroot", "--build-arg=BASE=localhost/base", "--build-arg=BUILDER=localhost/builder"]
    arguments += mounts({path: f"{path}:ro" for path in owners})
    command = ["make", "image", f"ENGINE={engine}", f"ARGS={' '.join(arguments)}"]
    began = time.monotonic()
    built = subprocess.run(command, cwd=tools.ROOT, capture_output=True, text=True, check=False, timeout=BUILD_S)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    tools.MEASURED.append(f"image: built in {time.monotonic() - began:.0f} s")
    return "localhost/belvedere:latest"


@pytest.fixture(scope="session")
def image_files(image_storage: Storage, image: str) -> Iterator[Path]:
    """The folder with the image's files."""
    with image_storage.files_of(image) as folder:
        yield folder


@pytest.fixture(scope="session")
def base_files(image_storage: Storage, image: str) -> Iterator[Path]:
    """The folder with the files of the image's base."""
    assert image
    with image_storage.files_of("localhost/base") as folder:
        yield folder
