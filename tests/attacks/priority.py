"""The priority of the processes around the attacked server."""

from __future__ import annotations

import os


def run_when_idle() -> None:
    """Let this process have only what the server and the driver leave of the processors.

    On other machines it would take nothing of them. A low niceness is not enough: the kernel may let a nice process
    finish its slice of some milliseconds before a thread of the server that became runnable.
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
