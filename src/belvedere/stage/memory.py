"""Keeps what a picture takes of memory small, and gives it back when the picture is turned off. Linux only.

glibc hands large blocks back to the system, but every time one is freed it takes "large" to begin a little higher, up
to 32 MiB. Each new viewer's encoder then grows the process by a few megabytes for good: 100 MiB became 136 after
fifteen visits, and stays at 109 with a fixed border.

x264 asks for huge pages, and so rounds each of its buffers up to 2 MiB. Ordinary pages save 5 MiB at 1280x720 and
encode as fast.
"""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BYTES = 128 * 1024  # where "large" begins before anything is freed
PR_SET_THP_DISABLE = 41  # linux/prctl.h


def keep_memory_small() -> bool:
    """Fix glibc's border and use ordinary pages, in the whole process; returns whether both could be done."""
    return _return_large_blocks() and _use_ordinary_pages()


def _return_large_blocks() -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; TypeError is Windows'
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))


def _use_ordinary_pages() -> bool:
    return sys.platform == "linux" and int(ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) == 0
