"""A surface to paint on in metres, antialiased: flat shapes, soft shadows and light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top

WASH_REDUCTION = 5  # nothing in a wash is sharper than a hand
FINE_BLUR_PX = 3
OVERSAMPLING = 2  # drawn twice as large and averaged: what Pillow draws has hard edges


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour in the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ellipse(box: Box, steps: int = 48) -> list[Point]:
    """The outline of an ellipse as a polygon."""
    left, bottom, right, top = box
    turns = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    xs = (left + right) / 2 + np.cos(turns) * (right - left) / 2
    ys = (bottom + top) / 2 + np.sin(turns) * (top - bottom) / 2
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


class Canvas:
    """A rectangle of a plane; x grows to the right and y upwards, both in metres.

    A canvas that `is_cut_out` shows only where something solid was painted; its `ground` is then the colour that
    mixes into the edges, so it should be close to what is painted.
    """

    def __init__(self, box: Box, px_per_m: float, ground: Colour, *, is_cut_out: bool = False) -> None:
        self.box = box
        self.px_per_m = px_per_m
        self._scale = px_per_m * OVERSAMPLING
        self._ground = ground
        left, bottom, right, top = box
        size = (round((right - left) * self._scale), round((top - bottom) * self._scale))
        self._image = Image.new("RGB", size, ground)
        self._mask = Image.new("L", size, 0 if is_cut_out else 255)
        self._draw = ImageDraw.Draw(self._image, "RGBA")
        self._draw_mask = ImageDraw.Draw(self._mask)

    def finished(self) -> Image.Image:
        """The painting, averaged down to `px_per_m`; transparent where nothing is solid."""
        painting = self._image.reduce(OVERSAMPLING)
        mask = Image.new("L", painting.size, 0)  # a transparent margin of one pixel keeps the outer edges smooth
        inside = (1, 1, painting.width - 1, painting.height - 1)
        mask.paste(self._mask.reduce(OVERSAMPLING).crop(inside), inside)
        painting.putalpha(mask)
        return painting

    def wash(self, paint: Callable[[Canvas], None]) -> None:
        """Cover everything with what `paint` makes of the bare ground: large, soft light and shade, cheaply."""
        rough = Canvas(self.box, self.px_per_m / WASH_REDUCTION, self._ground)
        paint(rough)
        self._image.paste(rough._image.resize(self._image.size, Image.Resampling.BICUBIC))

    # solid shapes

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled shape."""
        pixels = self._pixels(points)
        self._draw.polygon(pixels, fill=colour)
        self._draw_mask.polygon(pixels, fill=255)

    def rectangle(self, box: Box, colour: Colour, *, radius_m: float = 0.0) -> None:
        """A filled rectangle, with round corners where a radius is given."""
        pixels = self._pixel_box(box)
        radius = radius_m * self._scale
        self._draw.rounded_rectangle(pixels, radius, fill=colour)
        self._draw_mask.rounded_rectangle(pixels, radius, fill=255)

    def ellipse(self, box: Box, colour: Colour) -> None:
        """A filled ellipse that touches the sides of the box."""
        pixels = self._pixel_box(box)
        self._draw.ellipse(pixels, fill=colour)
        self._draw_mask.ellipse(pixels, fill=255)

    def line(self, points: Sequence[Point], colour: Colour, width_m: float) -> None:
        """A bent line with round joints."""
        pixels, width = self._pixels(points), max(1, round(width_m * self._scale))
        self._draw.line(pixels, fill=colour, width=width, joint="curve")
        self._draw_mask.line(pixels, fill=255, width=width, joint="curve")

    # light and shade: they change what is there and make nothing solid

    def tint(self, points: Sequence[Point], colour: Colour, strength: float) -> None:
        """A shape of thin paint; `strength` in [0, 1]."""
        self._draw.polygon(self._pixels(points), fill=(*colour, round(strength * 255)))

    def soft(self, shapes: Iterable[Sequence[Point]], colour: Colour, strength: float, blur_m: float) -> None:
        """Shapes of thin paint with edges that fade over about `blur_m`: shadows, mostly."""
        outlines = [self._pixels(points) for points in shapes]
        margin = 3 * blur_m * self._scale
        xs = [x for outline in outlines for x, _ in outline]
        ys = [y for outline in outlines for _, y in outline]
        left, top = max(0, int(min(xs) - margin)), max(0, int(min(ys) - margin))
        right = min(self._image.width, int(max(xs) + margin) + 1)
        bottom = min(self._image.height, int(max(ys) + margin) + 1)
        if left >= right or top >= bottom:
            return
        coarse = max(1, int(blur_m * self._scale / FINE_BLUR_PX))  # a wide blur is as good on fewer pixels
        size = (right - left, bottom - top)
        shade = Image.new("L", (-(-size[0] // coarse), -(-size[1] // coarse)), 0)
        draw = ImageDraw.Draw(shade)
        for outline in outlines:
            draw.polygon([((x - left) / coarse, (y - top) / coarse) for x, y in outline], fill=round(strength * 255))
        shade = shade.filter(ImageFilter.GaussianBlur(blur_m * self._scale / coarse))
        whole = (0, 0, size[0] / coarse, size[1] / coarse)
        self._image.paste(colour, (left, top), shade.resize(size, Image.Resampling.BILINEAR, whole))

    def fade(self, box: Box, colour: Colour, strengths: tuple[float, float], *, is_upward: bool = True) -> None:
        """Thin paint over a box whose strength goes evenly from bottom to top, or from left to right."""
        left, top, right, bottom = (round(edge) for edge in self._pixel_box(box))
        width, height = right - left, bottom - top
        if width <= 0 or height <= 0:
            return
        low, high = (strengths[1], strengths[0]) if is_upward else strengths
        ramp = np.linspace(low * 255, high * 255, height if is_upward else width)
        strip = Image.fromarray(
            np.asarray(ramp + 0.5, np.uint8)[:, None] if is_upward else np.asarray(ramp + 0.5, np.uint8)[None, :]
        )
        self._image.paste(colour, (left, top), strip.resize((width, height), Image.Resampling.NEAREST))

    def glow(self, centre: Point, radii: tuple[float, float], colour: Colour, strength: float) -> None:
        """Light that falls on what is there, brightest at the centre and gone at the radii."""
        x, y = centre
        box = self._pixel_box((x - radii[0], y - radii[1], x + radii[0], y + radii[1]))
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(self._image.width, int(box[2])), min(self._image.height, int(box[3]))
        if left >= right or top >= bottom:
            return
        across = np.linspace(left - box[0], right - box[0], right - left, dtype=np.float32) / (box[2] - box[0])
        down = np.linspace(top - box[1], bottom - box[1], bottom - top, dtype=np.float32) / (box[3] - box[1])
        distance = (across[None, :] * 2 - 1) ** 2 + (down[:, None] * 2 - 1) ** 2
        light = np.asarray(np.clip(1 - distance, 0, 1) ** 2 * (strength * 255), np.uint8)
        layer = Image.merge("RGB", [Image.fromarray(light).point(_share(level)) for level in colour])
        under = self._image.crop((left, top, right, bottom))
        self._image.paste(ImageChops.screen(under, layer), (left, top))

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        left, _, _, top = self.box
        return [((x - left) * self._scale, (top - y) * self._scale) for x, y in points]

    def _pixel_box(self, box: Box) -> Box:
        (left, top), (right, bottom) = self._pixels([(box[0], box[3]), (box[2], box[1])])
        return left, top, right, bottom


def _share(level: int) -> list[int]:
    return [value * level // 255 for value in range(256)]
