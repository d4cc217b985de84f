"""The process that paints: writes the panorama's Y, U and V planes to standard output, and ends."""

from __future__ import annotations

import sys

from belvedere.sim.painting.scene import paint_room


def main() -> None:
    """Paint and write."""
    for plane in paint_room().planes():
        sys.stdout.buffer.write(plane)


if __name__ == "__main__":
    main()
