from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import OwnerError
from belvedere.store.instance_lock import LOCK_NAME, InUseError, state_lock

if TYPE_CHECKING:
    from pathlib import Path

HOLD = "import sys; from pathlib import Path; from belvedere.store.instance_lock import state_lock\n"


def test_a_second_program_on_the_same_files_is_told_who_holds_them(tmp_path: Path) -> None:
    who = rf"process {os.getpid()} on {re.escape(socket.gethostname())}, since \d{{4}}-\d\d-\d\d \d\d:\d\d UTC"
    with state_lock(tmp_path):
        with pytest.raises(InUseError, match=rf"^another Belvedere runs with .* \({who}\): stop it first$"):
            state_lock(tmp_path).__enter__()
        assert stat.S_IMODE((tmp_path / LOCK_NAME).stat().st_mode) == 0o600
    with state_lock(tmp_path):
        pass


@pytest.mark.parametrize(
    "left", [b"", b"{", b"\xff\xff", b'{"pid": 1, "host": "a\\nb", "since_utc_s": 1}', b"x" * 5000]
)
def test_what_cannot_be_read_of_the_holder_changes_nothing(tmp_path: Path, left: bytes) -> None:
    with state_lock(tmp_path):
        (tmp_path / LOCK_NAME).write_bytes(left)
        with pytest.raises(InUseError, match="it does not say which"):
            state_lock(tmp_path).__enter__()


@pytest.mark.realtime
def test_the_kernel_releases_the_lock_of_a_killed_program(tmp_path: Path) -> None:
    script = HOLD + "with state_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InUseError, match=rf"process {holder.pid} on"):
            state_lock(tmp_path).__enter__()
        holder.kill()
    with state_lock(tmp_path):
        pass


def test_a_missing_folder_is_made_for_this_user_only(tmp_path: Path) -> None:
    with state_lock(tmp_path / "state"):
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_place_where_no_lock_can_be_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "file")
    for folder in (tmp_path / "file", tmp_path):
        with pytest.raises(OwnerError, match=rf"{folder}/belvedere\.lock: cannot be opened"):
            state_lock(folder).__enter__()
    assert (tmp_path / "file").read_text() == ""
