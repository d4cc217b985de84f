"""Marks everything in this folder `deploy`, so that no test runs where its tools are not; and builds the image once."""

from __future__ import annotations

import os
import platform
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
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
RUNTIME_PACKAGES = ("ca-certificates", "python3")
IMAGE = "localhost/belvedere:latest"
BUILT = "BELVEDERE_BUILT_IMAGE"
"""For those who work on these tests: a folder of storage that `make image` has filled, which saves minutes a run."""

CERTIFICATES = Path("/etc/ssl/certs")
OF_NETWORK = ("PIP_INDEX_URL", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
"""What tells pip and npm of this machine where to look and whom to trust; the Containerfile takes it as arguments."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever has little time leave out what is marked `slow`."""
    parser.addoption("--quick", action="store_true", help="leave out the tests of deployment that are slow")


@pytest.hookimpl(tryfirst=True)  # before the items are selected by their markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the items of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("deploy")
    if config.getoption("--quick", default=False):
        left_out = [item for item in items if item.get_closest_marker("slow") is not None]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    if tools.MEASURED:
        text = "".join(f"{line}\n" for line in tools.MEASURED)
        (tools.BUILD / "measured.txt").write_text(text, encoding="utf-8")
        terminalreporter.section("measured")
        terminalreporter.write(text)


@pytest.fixture(scope="session")
def image_storage() -> Iterator[Storage]:
    """A storage for this run alone; or the one that the environment names, with an image that was built before."""
    if BUILT in os.environ:
        yield Storage(Path(os.environ[BUILT]))
        return
    with storage() as made:
        yield made


@pytest.fixture(scope="session")
def image(image_storage: Storage) -> str:
    """The image, built by `make image` on a small Debian of this machine's package source."""
    if BUILT in os.environ:
        return IMAGE
    for name, packages in (("base", RUNTIME_PACKAGES), ("builder", (*RUNTIME_PACKAGES, "python3-venv"))):
        image_storage.import_folder(debian.system(SUITE, ARCHITECTURE, packages), f"localhost/{name}")
    engine = " ".join([tools.debian("buildah"), *image_storage.options])
    arguments = ["--isolation=chroot", "--build-arg=BASE=localhost/base", "--build-arg=BUILDER=localhost/builder"]
    arguments += [f"--build-arg={name}={os.environ[name]}" for name in OF_NETWORK if name in os.environ]
    arguments += mounts({CERTIFICATES: f"{CERTIFICATES}:ro"}) if CERTIFICATES.exists() else ()
    command = ["make", "image", f"ENGINE={engine}", f"ARGS={' '.join(arguments)}"]
    began = time.monotonic()
    built = subprocess.run(command, cwd=tools.ROOT, capture_output=True, text=True, check=False, timeout=BUILD_S)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    tools.MEASURED.append(f"image: built in {time.monotonic() - began:.0f} s")
    return IMAGE


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
