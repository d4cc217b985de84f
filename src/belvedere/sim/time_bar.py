"""A bar of black and white cells at the top edge of the picture that encodes its capture time.

It is drawn only for measurements. From the left: one white and one black cell, 32 cells with the milliseconds of the
server's monotonic clock (modulo 2^32, the highest bit first, white is 1), 6 cells of checksum. Every cell is a
fortieth of the picture wide and 16 pixels high, so that H.264 cannot smear one into the next.

A page can read it from a canvas of the video's size:

    const row = context.getImageData(0, 8, width, 1).data, bits = [];
    for (let cell = 0; cell < 40; cell++) bits.push(row[4 * Math.floor((cell + 0.5) * width / 40)] > 127 ? 1 : 0);
    const number = (from, to) => bits.slice(from, to).reduce((sum, bit) => sum * 2 + bit, 0);
    const ms = number(2, 34);
    const isRead = bits[0] === 1 && bits[1] === 0 && Math.imul(ms, 0x9E3779B1) >>> 26 === number(34, 40);
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture

CELLS = 40
ROWS = 16  # one macroblock
BLACK, WHITE, GREY = 16, 235, 128
MS_BITS, CHECK_BITS = 32, 6
SPREAD = 0x9E3779B1  # 2^32 divided by the golden ratio, so that similar times have very different checksums


def draw_time_bar(at_s: float, picture: Picture) -> None:
    """Draw a time (seconds of the monotonic clock) into a picture."""
    ms = int(at_s * 1000) % (1 << MS_BITS)
    bits = f"10{ms:0{MS_BITS}b}{_check(ms):0{CHECK_BITS}b}"
    edges = [cell * picture.width // CELLS for cell in range(CELLS + 1)]
    row = b"".join(
        bytes([WHITE if bit == "1" else BLACK]) * (end - start)
        for bit, start, end in zip(bits, edges, edges[1:], strict=False)
    )
    picture.y[: picture.width * ROWS] = row * ROWS
    grey = bytes([GREY]) * (picture.width // 2 * ROWS // 2)
    picture.u[: len(grey)] = grey
    picture.v[: len(grey)] = grey


def read_time_bar(luma: memoryview | bytes, width: int) -> int | None:
    """Read the milliseconds from a picture's luma plane; None if there is no valid bar."""
    row = luma[ROWS // 2 * width : (ROWS // 2 + 1) * width]
    cells = [row[int((cell + 0.5) * width / CELLS)] > GREY for cell in range(CELLS)]
    bits = "".join("1" if cell else "0" for cell in cells)
    ms, check = int(bits[2 : 2 + MS_BITS], 2), int(bits[2 + MS_BITS :], 2)
    return ms if bits.startswith("10") and check == _check(ms) else None


def _check(ms: int) -> int:
    return (ms * SPREAD) % (1 << MS_BITS) >> MS_BITS - CHECK_BITS
