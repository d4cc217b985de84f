from __future__ import annotations

import gc
import platform
import subprocess
import sys

import av
import pytest

from belvedere.stage.memory_tuning import bound_ffmpeg, permanent_objects

CODE = """
from belvedere.stage.memory_tuning import reduce_memory

def rss_kib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])

assert reduce_memory()
for size in (1 << 20, 1 << 22, 1 << 24):
    block = bytearray(size)
    del block
small, blocks = rss_kib(), [bytearray(b"x") * 1_000_000 for _ in range(20)]
kept = blocks[-1]
del blocks
print(rss_kib() - small)
"""


@pytest.mark.realtime
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give memory back by themselves")
def test_memory_of_pictures_is_returned_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 3000


@pytest.mark.skipif(sys.platform != "linux", reason="FFmpeg's library is found in /proc")
def test_ffmpeg_allocates_nothing_larger_than_any_frame() -> None:
    assert bound_ffmpeg()
    assert av.VideoFrame(7680, 4320, "yuv420p").width == 7680
    with pytest.raises(MemoryError, match="allocate"):
        av.VideoFrame(16000, 16000, "yuv420p")


def test_permanent_objects_are_created_without_a_collection_and_excluded_from_later_ones() -> None:
    begun: list[str] = []
    gc.callbacks.append(lambda phase, _info: begun.append(phase))
    before = gc.get_freeze_count()
    try:
        with permanent_objects():
            made = [[] for _ in range(10_000)]  # type: list[list[object]]
            assert not begun
        assert gc.get_freeze_count() >= before + len(made)
        assert gc.isenabled()
    finally:
        gc.callbacks.pop()
        gc.unfreeze()


def test_garbage_collection_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with permanent_objects():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
