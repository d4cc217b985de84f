"""Reduces the memory that encoding takes, and returns it to the system when the picture is turned off. Linux only.

glibc returns large blocks to the system, but each time one is freed it raises its threshold for "large", up to 32 MiB.
Each new viewer's encoder then makes the process larger by a few megabytes for good: 100 MiB became 136 after fifteen
visits. With a fixed threshold it stays at 109.

x264 asks for huge pages, so each of its buffers is rounded up to 2 MiB. Ordinary pages save 5 MiB at 1280x720, and
encoding is as fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BYTES = 128 * 1024  # glibc's initial threshold
MAX_FFMPEG_BLOCK = 64 * 2**20  # a frame of 8K has 50 MB
PR_SET_THP_DISABLE = 41  # linux/prctl.h


def reduce_memory() -> bool:
    """Fix glibc's threshold and disable huge pages, in the whole process; returns whether both succeeded."""
    return _return_large_blocks() and _use_ordinary_pages()


@contextlib.contextmanager
def permanent_objects() -> Iterator[None]:
    """Run a block that creates permanent objects, such as modules, and exclude these from garbage collection.

    A collection that traverses the modules of aiortc and FFmpeg blocks every thread for some 50 ms, many times while
    they are imported, and again whenever a viewer comes.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_enabled:
            gc.enable()


@functools.cache
def bound_ffmpeg() -> bool:
    """Let FFmpeg, once it is imported, allocate no block above `MAX_FFMPEG_BLOCK`; returns whether that succeeded.

    It trusts the lengths that a camera names: a description of 2 GB is received to the last byte.
    """
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        library = next(line.split(maxsplit=5)[-1] for line in lines if "libavutil" in line)
        ctypes.CDLL(library).av_max_alloc(ctypes.c_size_t(MAX_FFMPEG_BLOCK))
    except (AttributeError, OSError, StopIteration):  # another system, or linked otherwise
        return False
    return True


def _return_large_blocks() -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; TypeError is Windows'
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))


def _use_ordinary_pages() -> bool:
    return sys.platform == "linux" and int(ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) == 0
