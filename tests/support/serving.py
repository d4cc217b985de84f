"""Servers in processes of their own, for tests with other people's programs."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

END_TIMEOUT_S = 20.0
BASE = '[server]\nport = 0\n[head]\nkind = "none"\n[store]\nfile = ""\n'


@contextlib.contextmanager
def serving(folder: Path, settings: str, files: Mapping[str, str]) -> Iterator[str]:
    """Serve with these tables of settings, and these files beside them; gives the address, such as `http://…:8080`."""
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    path = folder / "belvedere.toml"
    path.write_text(BASE + settings, encoding="utf-8")
    command = [sys.executable, "-m", "belvedere.cli", "serve", "--config", str(path)]
    with running(command, folder / "log", r"http://[^\s;]+") as address:
        yield address


@contextlib.contextmanager
def running(
    command: list[str], log_file: Path, opening: str, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a server until the end of the block, when it must exit with status 0.

    Its first line must have a part that matches `opening`, which is given; the log is shown where it has none.
    """
    with (
        log_file.open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.readline().decode()
            found = re.search(opening, said)
            assert found is not None, said + log_file.read_text(encoding="utf-8")
            yield found[0]
            process.send_signal(signal.SIGTERM)
            assert process.wait(END_TIMEOUT_S) == 0
        finally:
            process.kill()


def free_ports(count: int) -> list[int]:
    """Different TCP ports of loopback that nobody listens on now, for servers that cannot choose one themselves."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]
