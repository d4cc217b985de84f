"""A child process whose standard output is read, or whose input is written, and which never outlives this one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import IO, Self

F_SETPIPE_SZ = 1031  # linux/fcntl.h
FED_PIPE_BYTES = 2**14  # pages are only free once they are read to their ends, so a single one would seldom be
PIPE_BYTES = 2**20  # what an ordinary user may have, and more than a picture: the child never waits while we decode
READ_BYTES = 2**18
KEPT_STDERR_BYTES = 2000
SHOWN_STDERR_LINES = 3
END_TIMEOUT_S = 2.0  # a program needs some time to close its camera
KILL_TIMEOUT_S = 2.0
EXIT_TIMEOUT_S = 0.5  # from the end of the output to the exit


class ChildProcess:
    """Runs a command without a shell, in a process group of its own; use it in a `with` block, in one thread.

    On the way out the group is sent SIGTERM, and SIGKILL if it is still there after `END_TIMEOUT_S`. If this process
    dies instead, the child gets SIGTERM from the kernel where `setpriv` is installed, and SIGPIPE with its next output
    anyhow.

    Raises CameraError (NOT_FOUND, NO_PERMISSION, PROGRAM_FAILED) if it cannot be started.

    Args:
        command: program and arguments.
        is_fed: whether it is given an input, by `write`.
    """

    def __init__(self, command: Sequence[str], *, is_fed: bool = False) -> None:
        self.name = command[0]
        if shutil.which(command[0]) is None:
            raise CameraError(CameraReason.NOT_FOUND, f"{self.name}: there is no such program: install it")
        guard = shutil.which("setpriv")
        bound = [guard, "--pdeathsig", "TERM", "--", *command] if guard is not None else list(command)
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the owner's own command, without a shell)
                bound,
                stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except PermissionError as error:
            raise CameraError(CameraReason.NO_PERMISSION, f"{self.name}: may not be run") from error
        except OSError as error:
            problem = f"{self.name}: could not be started: {error.strerror}"
            raise CameraError(CameraReason.PROGRAM_FAILED, problem) from error
        assert self._process.stdout is not None  # noqa: S101 (for mypy: it was asked for)
        assert self._process.stderr is not None  # noqa: S101 (likewise)
        self._stdout, self._stderr = self._process.stdout, self._process.stderr
        self._errors = bytearray()
        self._poll = select.poll()
        for pipe in (self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
            self._poll.register(pipe, select.POLLIN)
        with contextlib.suppress(OSError):  # the limit of all pipes of this user may be reached
            fcntl.fcntl(self._stdout, F_SETPIPE_SZ, PIPE_BYTES)
        self._stdin = self._process.stdin
        if self._stdin is not None:
            os.set_blocking(self._stdin.fileno(), False)
            fcntl.fcntl(self._stdin, F_SETPIPE_SZ, FED_PIPE_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def read(self, timeout_s: float) -> bytes | None:
        """Wait for output; returns what there is, b"" if there was none, or None if the output has ended."""
        output: bytes | None = b""
        for descriptor, _ in self._poll.poll(timeout_s * 1000):
            if descriptor == self._stdout.fileno():
                output = self._read_some(self._stdout)
            else:
                self._read_errors()
        return output

    def unread_bytes(self) -> int:
        """How much of its input it has not taken yet."""
        assert self._stdin is not None  # noqa: S101 (for mypy: `is_fed`)
        return int.from_bytes(fcntl.ioctl(self._stdin, termios.FIONREAD, bytes(4)), sys.byteorder)

    def write(self, data: bytes) -> bool:
        """Give it input, at most a page; returns False if it has ended. What does not fit into the pipe is dropped."""
        assert self._stdin is not None  # noqa: S101 (likewise)
        try:
            os.write(self._stdin.fileno(), data)
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        return True

    def end(self) -> None:
        """End the process group; may be called more than once."""
        for number, timeout_s in ((signal.SIGTERM, END_TIMEOUT_S), (signal.SIGKILL, KILL_TIMEOUT_S)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
                break
        with contextlib.suppress(ProcessLookupError):  # its own children, which may have ignored SIGTERM
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in filter(None, (self._stdin, self._stdout, self._stderr)):
            with contextlib.suppress(OSError):
                pipe.close()

    def failure(self) -> CameraError:
        """Why the output ended: call it after `read` returned None."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_TIMEOUT_S)  # its own status, not that of our signal
        self._read_errors()
        self.end()
        status = self._process.returncode
        said = f": {self.last_words()}" if self._errors else ""
        if status == 0:
            return CameraError(CameraReason.ENDED, f"{self.name}: ended by itself{said}")
        how = f"was ended by signal {-status}" if status is not None and status < 0 else f"failed with status {status}"
        return CameraError(CameraReason.PROGRAM_FAILED, f"{self.name}: {how}{said}")

    def last_words(self) -> str:
        """The last lines of its standard error, as one line of printable characters."""
        lines = self._errors.decode(errors="replace").replace("\r", "\n").split("\n")
        kept = [line.strip() for line in lines if line.strip()][-SHOWN_STDERR_LINES:]
        return "".join(character if character.isprintable() else "?" for character in " | ".join(kept))

    def _read_errors(self) -> None:
        self._errors += self._read_some(self._stderr) or b""
        del self._errors[:-KEPT_STDERR_BYTES]

    def _read_some(self, pipe: IO[bytes]) -> bytes | None:
        """Read what is there; None, from then on, once the pipe has ended."""
        try:
            data = os.read(pipe.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            with contextlib.suppress(KeyError):
                self._poll.unregister(pipe)
            return None
        return data
