from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tools.painting.picture import encode_webp

from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.room import PICTURE
from belvedere.stage.image_decoder import StillPlane, decode_webp

if TYPE_CHECKING:
    from tools.painting.cylinder import Cylinder

BLOCK = 16  # pixels; half as many in the planes of colour
MAX_OFF = 2.0  # on average over a block, of 255: the codec causes 1.2, and a larger difference may be visible
MAX_KB = 1500  # it is part of every clone and wheel

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def pixels(plane: StillPlane, height: int) -> Bytes:
    return np.frombuffer(plane.data, np.uint8)[: plane.stride * height].reshape(height, -1)[:, : plane.width]


def worst_block(ours: Bytes, theirs: Bytes, block: int) -> float:
    """The largest difference between two planes: the mean absolute difference in the worst block."""
    off = np.abs(ours.astype(np.int16) - theirs)
    height, width = off.shape
    blocks = off.reshape(height // block, block, width // block, block)
    return float(blocks.mean(axis=(1, 3)).max())


def test_the_committed_picture_is_what_the_painter_makes(painted_room: Cylinder) -> None:
    decoded = decode_webp(PICTURE.read_bytes(), PANORAMA_WIDTH, PANORAMA_HEIGHT)
    for plane, rows, scale in zip(decoded, painted_room.planes(), (1, 2, 2), strict=True):
        painted = np.frombuffer(rows, np.uint8).reshape(PANORAMA_HEIGHT // scale, -1)
        off = worst_block(pixels(plane, len(painted)), painted, BLOCK // scale)
        assert off <= MAX_OFF, "what is painted has changed: `make room`, look at the picture, and commit it"


def test_a_spot_of_another_shade_would_be_noticed() -> None:
    before = np.full((64, 64), 120, np.uint8)
    after = before.copy()
    after[16:32, 32:48] += 3
    assert worst_block(before, before, BLOCK) == 0 < MAX_OFF < worst_block(before, after, BLOCK)


def test_the_committed_picture_is_small() -> None:
    assert PICTURE.stat().st_size <= MAX_KB * 1000


def test_what_is_encoded_is_decoded_plane_by_plane() -> None:
    width, height = 72, 48
    slope = np.linspace(40, 200, width).astype(np.uint8)
    rows = (np.tile(slope, height).tobytes(), bytes([90]) * (width * height // 4), bytes([160]) * (width * height // 4))
    y, u, v = decode_webp(encode_webp(rows, width, height), width, height)
    assert pixels(y, height)[24].tolist() == pytest.approx(slope.tolist(), abs=4)
    assert (u.data[0], v.data[0]) == pytest.approx((90, 160), abs=2)
