"""Starts `belvedere` as the first process of a container.

The kernel passes on to the first process no signal that it has no handler for. Until the program has its own handlers
it is importing, which takes seconds on a small computer: a SIGTERM then would be lost, and the container would be
killed much later, in the middle of whatever it does by then.

A server whose state folder cannot be written is not started: nobody could come in, and the reason, a volume with
another owner, is easy to correct.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

USAGE_STATUS = 2  # as of `belvedere` for invalid configuration


def end(number: int, _frame: object) -> NoReturn:
    """Exit as a shell reports a process that a signal ended; nothing moves yet."""
    sys.exit(128 + number)


def problem(folder: Path) -> str | None:
    """Why the server could save nothing in this folder, or None."""
    if os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return None
    state = "cannot be written" if folder.is_dir() else "is no folder"
    owner = f"user {os.getuid()} and group {os.getgid()}"
    return f"the state folder {folder} {state}: mount a volume there that belongs to {owner}"


if __name__ == "__main__":
    for wanted in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, end)
    found = problem(Path(os.environ["STATE_DIRECTORY"])) if sys.argv[1:2] == ["serve"] else None
    if found is not None:
        sys.stderr.write(f"belvedere: {found}\n")
        sys.exit(USAGE_STATUS)
    from belvedere.cli import main  # after the handlers: it is what takes long

    main()
