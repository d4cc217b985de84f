"""`belvedere serve` in a process of its own, for tests with other people's programs."""

from __future__ import annotations

import contextlib
import re
import signal
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
    """Serve with these tables of settings, and these files beside them; gives the address, such as `http://…:8080`.

    At the end, the server must exit with status 0.
    """
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    path = folder / "belvedere.toml"
    path.write_text(BASE + settings, encoding="utf-8")
    command = [sys.executable, "-m", "belvedere.cli", "serve", "--config", str(path)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[^\s;]+", process.stdout.readline().decode())
            assert found is not None, (folder / "log").read_text(encoding="utf-8")
            yield found[0]
            process.send_signal(signal.SIGTERM)
            assert process.wait(END_TIMEOUT_S) == 0
        finally:
            process.kill()
