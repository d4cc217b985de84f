"""Every package that runs on a Raspberry Pi has a wheel for it, and they work there, as far as an emulator can tell."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.deploy import debian, tools

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # emulation
LOCK = tools.ROOT / "requirements/runtime.lock"
EMULATION_S = 1800  # five minutes on a machine with other work
AARCH64 = (183).to_bytes(2, "little")  # in the header of an ELF file, at byte 18
SMOKE = """
import io, platform, sys
assert platform.machine() == "aarch64", platform.machine()
sys.path[:0] = ["/packages", "/src"]
import aiortc, av, bleak, cryptography, dbus_fast, litestar, msgspec, pylibsrtp, uvicorn, uvloop, webauthn, websockets
from fractions import Fraction
written = io.BytesIO()
with av.open(written, "w", format="h264") as output:
    stream = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "tune": "zerolatency"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for number in range(3):
        frame = av.VideoFrame(64, 48, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
with av.open(io.BytesIO(written.getvalue()), format="h264") as source:
    assert sum(1 for _ in source.decode(video=0)) == 3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
key.public_key().verify(key.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))
from pathlib import Path
from belvedere.app.settings import read_config
assert read_config(Path("/settings.toml")).settings.server.port == 8080
import belvedere.app.build, belvedere.app.lifecycle, belvedere.link.radio, belvedere.stage.direct.webrtc_way
print("works", platform.python_version())
"""


class RaspberryPiOs(NamedTuple):
    """A release: its Python, the Debian that it is made of, and the newest kind of wheel that its C library takes."""

    python: str
    suite: str
    wheels: str


RELEASES = [
    RaspberryPiOs("3.11", "bookworm", "aarch64-manylinux_2_36"),
    RaspberryPiOs("3.13", "trixie", "aarch64-manylinux_2_40"),
]


def install(python: str, platform: str, folder: Path) -> None:
    """Put the wheels of the lock for a platform into a folder; a package without a wheel is an error."""
    command = [str(tools.ROOT / ".venv/bin/uv"), "pip", "install", "--quiet", "--system-certs", "--target", str(folder)]
    command += ["--python", sys.executable, "--python-version", python, "--python-platform", platform]
    command += ["--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(params=RELEASES, ids=lambda release: release.suite, scope="module")
def release(request: pytest.FixtureRequest) -> RaspberryPiOs:
    """One after the other."""
    found: RaspberryPiOs = request.param
    return found


@pytest.fixture(scope="module")
def computer(release: RaspberryPiOs) -> Path:
    """The folder of a small Debian of that release, with everything that runs on it in `/packages`."""
    folder = debian.system(release.suite, "arm64", ("python3",))
    shutil.rmtree(folder / "packages", ignore_errors=True)
    install(release.python, release.wheels, folder / "packages")
    return folder


def test_every_package_has_a_wheel(release: RaspberryPiOs, computer: Path) -> None:
    packages = computer / "packages"
    natives = sorted(packages.rglob("*.so"))
    assert {path.read_bytes()[18:20] for path in natives} == {AARCH64}
    assert (packages / "av").is_dir()
    total = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 2**20
    tools.MEASURED.append(f"arm64: {release.suite}: {total:.0f} MiB of packages, {len(natives)} native modules")


def test_they_import_encode_and_sign_under_emulation(release: RaspberryPiOs, computer: Path) -> None:
    shutil.copy(tools.debian("qemu-aarch64-static"), computer / "usr/bin/qemu-aarch64-static")
    shutil.rmtree(computer / "src", ignore_errors=True)
    shutil.copytree(tools.ROOT / "src", computer / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tools.ROOT / "examples/belvedere.toml", computer / "settings.toml")
    interpreter = ["/usr/bin/qemu-aarch64-static", f"/usr/bin/python{release.python}"]
    command = [tools.debian("chroot"), str(computer), *interpreter, "-c", SMOKE]
    began = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=EMULATION_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith(f"works {release.python}."), ran.stdout
    tools.MEASURED.append(f"arm64: {release.suite}: imported and used in {time.monotonic() - began:.0f} s of emulation")


def test_a_platform_without_wheels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="has no usable wheels"):
        install("3.11", "riscv64-unknown-linux", tmp_path)
