from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.child import KEPT_STDERR_BYTES, ChildProcess

pytestmark = pytest.mark.realtime


def shell(script: str) -> ChildProcess:
    return ChildProcess(("sh", "-c", script))


def read_all(child: ChildProcess) -> bytes:
    output = b""
    while (part := child.read(5.0)) is not None:
        output += part
    return output


def failure(script: str) -> CameraError:
    with shell(script) as child:
        read_all(child)
        return child.failure()


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_output_is_read_to_its_end() -> None:
    with shell("printf one; printf two") as child:
        assert read_all(child) == b"onetwo"
        assert child.read(0) == b""


def test_why_it_ended_is_said_with_its_last_words() -> None:
    failed = failure("echo first >&2; printf 'no camera\\033[1m\\r\\nplug it in' >&2; exit 3")
    assert failed.camera_reason is CameraReason.PROGRAM_FAILED
    assert str(failed) == "sh: failed with status 3: first | no camera?[1m | plug it in"
    assert failure("exit 0").camera_reason is CameraReason.ENDED
    assert "signal 9" in str(failure("kill -9 $$"))


def test_endless_complaints_take_bounded_memory() -> None:
    with shell("i=0; while [ $i -lt 2000 ]; do echo complaint $i >&2; i=$((i+1)); done; exit 1") as child:
        read_all(child)
        assert "complaint 1999" in str(child.failure())
        assert len(child._errors) <= KEPT_STDERR_BYTES


def test_a_program_that_does_not_exist_or_may_not_run_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "text").touch(0o600)
    for name in ("no-such-program", str(tmp_path / "text"), str(tmp_path)):
        with pytest.raises(CameraError) as caught:
            ChildProcess((name,))
        assert caught.value.camera_reason is CameraReason.NOT_FOUND


def test_the_whole_group_ends_even_if_it_ignores_the_signal(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >> {pids}; echo; while :; do sleep 1; done' & "
    with shell(script + f"echo $$ >> {pids}; echo; wait") as child:
        lines = b""
        while lines.count(b"\n") < 2:
            part = child.read(5.0)
            assert part is not None, child.failure()
            lines += part
    processes = [int(line) for line in pids.read_text().split()]
    deadline_s = time.monotonic() + 5
    while any(is_running(pid) for pid in processes) and time.monotonic() < deadline_s:
        time.sleep(0.01)  # the kernel ends them; there is no event for a grandchild
    assert len(processes) == 2
    assert not any(is_running(pid) for pid in processes)


def test_an_obedient_program_ends_at_once() -> None:
    began_s = time.monotonic()
    with ChildProcess(("sleep", "60")) as child:
        assert child.read(0.01) == b""
    child.end()
    assert time.monotonic() - began_s < 1.0


ORPHAN = """
import sys
from belvedere.stage.sources.child import ChildProcess
child = ChildProcess(("sh", "-c", "echo; exec sleep 60"))
assert child.read(30.0)  # it runs, so it is bound to us
sys.stdout.write(f"{child._process.pid}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="a silent child outlives us without setpriv")
def test_a_child_does_not_outlive_a_server_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert is_running(pid)
        server.kill()
    deadline_s = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline_s:
        time.sleep(0.01)  # the kernel ends it; there is no event for another's child
    assert not is_running(pid)


def test_input_is_read_whole_and_in_order_and_its_end_is_noticed() -> None:
    with ChildProcess(("dd", "bs=100", "count=400", "iflag=fullblock", "status=none"), is_fed=True) as child:
        given, output = b"", b""
        while (part := child.read(0)) is not None:
            output += part
            piece = len(given).to_bytes(4, "big") * 240
            if child.unread_bytes() < len(piece) and child.write(piece):
                given += piece
        assert output == given[:40_000]
        assert not child.write(b"more")
