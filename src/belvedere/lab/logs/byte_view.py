"""A chunk of a log as an array, to read numbers at many offsets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Ints: TypeAlias = "npt.NDArray[np.int64]"
Floats: TypeAlias = "npt.NDArray[np.float64]"
Flags: TypeAlias = "npt.NDArray[np.bool_]"

PADDING_BYTES = 64
"""Zeros behind the end, so that header fields can be read for all records before checking that they are complete.

The last field of any header lies 20 bytes behind its start."""


class ByteView:
    """Bytes, and numbers in them. Offsets may lie up to `PADDING_BYTES` - 4 bytes behind the end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._padded = data + bytes(PADDING_BYTES)
        self._u8 = np.frombuffer(self._padded, np.uint8)

    def u8(self, offset: Ints) -> Ints:
        """The bytes at these offsets."""
        return self._u8[offset].astype(np.int64)

    def u16(self, offset: Ints, order: str = "<") -> Ints:
        """Unsigned 16-bit numbers, little-endian, or big-endian with `order` ">"."""
        return self._numbers(order + "u2", 2)[offset].astype(np.int64)

    def u32(self, offset: Ints, order: str = "<") -> Ints:
        """Unsigned 32-bit numbers."""
        return self._numbers(order + "u4", 4)[offset].astype(np.int64)

    def _numbers(self, kind: str, size: int) -> npt.NDArray[np.uint32]:
        """The number that begins at every offset: a view with a stride of 1, because fields are not aligned."""
        return np.ndarray((len(self._padded) - size + 1,), kind, self._padded, strides=(1,))
