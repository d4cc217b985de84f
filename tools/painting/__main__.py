"""Paints the room and writes its picture into the package."""

from __future__ import annotations

from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.room import PICTURE
from tools.painting.picture import encode_webp
from tools.painting.scene import paint_room


def main() -> None:
    """Paint, encode and write."""
    picture = encode_webp(paint_room().planes(), PANORAMA_WIDTH, PANORAMA_HEIGHT)
    PICTURE.write_bytes(picture)
    print(f"wrote {PICTURE.name}: {len(picture) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
