"""The coffee table, with a teapot and a cup."""

from __future__ import annotations

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import Canvas, ellipse, mixed


def paint_coffee_table() -> Canvas:
    """A round low table with a teapot, before the rug's far edge."""
    canvas = Canvas((-1.05, FLOOR_M, 0.85, -0.35), 430, p.WALNUT_DARK, is_cut_out=True)
    x, top = -0.10, -0.82
    for dx in (-0.52, 0.0, 0.52):
        canvas.line([(x + dx * 0.75, top - 0.03), (x + dx, FLOOR_M + 0.01)], p.WALNUT_DARK, 0.045)
    canvas.ellipse((x - 0.78, top - 0.10, x + 0.78, top + 0.055), p.WALNUT_DARK)
    canvas.ellipse((x - 0.78, top - 0.075, x + 0.78, top + 0.08), mixed(p.WALNUT, p.OAK, 0.35))
    canvas.soft([ellipse((x - 0.6, top - 0.02, x + 0.3, top + 0.06))], (255, 224, 170), 0.4, 0.03)
    canvas.soft([ellipse((x + 0.03, top - 0.035, x + 0.42, top + 0.015))], p.INK, 0.45, 0.02)
    _teapot(canvas, x + 0.16, top + 0.0)
    paint_cup(canvas, x - 0.22, top + 0.0)
    canvas.polygon(
        [(x - 0.62, top + 0.005), (x - 0.34, top - 0.02), (x - 0.32, top + 0.012), (x - 0.60, top + 0.035)], p.BRICK
    )
    canvas.polygon(
        [(x - 0.62, top + 0.03), (x - 0.34, top + 0.005), (x - 0.32, top + 0.022), (x - 0.60, top + 0.047)],
        (236, 222, 196),
    )
    return canvas


def _teapot(canvas: Canvas, x: float, y: float) -> None:
    body = p.TEAL
    canvas.line([(x + 0.08, y + 0.045), (x + 0.125, y + 0.08), (x + 0.145, y + 0.125)], body, 0.024)
    canvas.line(ellipse((x - 0.155, y + 0.03, x - 0.06, y + 0.12)), body, 0.016)
    canvas.ellipse((x - 0.105, y - 0.008, x + 0.105, y + 0.14), body)
    canvas.ellipse((x - 0.06, y + 0.122, x + 0.06, y + 0.15), mixed(body, p.INK, 0.3))
    canvas.ellipse((x - 0.016, y + 0.143, x + 0.016, y + 0.174), p.BRASS)
    canvas.soft([ellipse((x - 0.01, y, x + 0.11, y + 0.105))], (10, 26, 28), 0.55, 0.02)
    canvas.soft([ellipse((x - 0.07, y + 0.07, x - 0.015, y + 0.125))], (220, 244, 238), 0.6, 0.01)


def paint_cup(canvas: Canvas, x: float, y: float) -> None:
    """A cup that stands at a place."""
    canvas.line(ellipse((x + 0.025, y + 0.015, x + 0.085, y + 0.07)), p.WHITE, 0.012)
    canvas.polygon([(x - 0.035, y), (x + 0.035, y), (x + 0.05, y + 0.085), (x - 0.05, y + 0.085)], p.WHITE)
    canvas.fade((x - 0.05, y, x + 0.05, y + 0.085), p.SHADOW, (0.4, 0.0), is_upward=False)
