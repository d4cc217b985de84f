"""Bounds what a piece of code computes, in tests that run after thousands of others in the same process."""

from __future__ import annotations

import contextlib
import gc
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def bounded_processor_time(seconds: float) -> Iterator[None]:
    """Assert that the block takes less of this process's processor time.

    Nothing is collected meanwhile: a collection of what other tests have left takes half a second.
    """
    gc.disable()
    began_s = time.process_time()
    try:
        yield
    finally:
        took_s = time.process_time() - began_s
        gc.enable()
    assert took_s < seconds
