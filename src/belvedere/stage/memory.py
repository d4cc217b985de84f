"""Keeps what a picture takes of memory small, and gives it back when the picture is turned off. Linux only.

glibc hands large blocks back to the system, but every time one is freed it takes "large" to begin a little higher, up
to 32 MiB. Each new viewer's encoder then grows the process by a few megabytes for good: 100 MiB became 136 after
fifteen visits, and stays at 109 with a fixed border.

x264 asks for huge pages, and so rounds each of its buffers up to 2 MiB. Ordinary pages save 5 MiB at 1280x720 and
encode as fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BYTES = 128 * 1024  # where "large" begins before anything is freed
PR_SET_THP_DISABLE = 41  # linux/prctl.h


def keep_memory_small() -> bool:
    """Fix glibc's border and use ordinary pages, in the whole process; returns whether both could be done."""
    return _return_large_blocks() and _use_ordinary_pages()


@contextlib.contextmanager
def kept_for_good() -> Iterator[None]:
    """Make what stays until the end, such as modules, without a garbage collection, and keep it out of all later ones.

    A collection that looks through aiortc's and FFmpeg's modules holds every thread for some 50 ms, over and over while
    they are imported and then whenever a viewer comes.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_enabled:
            gc.enable()


def _return_large_blocks() -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; TypeError is Windows'
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))


def _use_ordinary_pages() -> bool:
    return sys.platform == "linux" and int(ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) == 0
