"""The geometry of the demo's room, as seen from the camera; used for painting it and for showing it.

Directions are degrees clockwise from straight ahead; heights are metres above the camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PANORAMA_WIDTH = 6592  # 65 to 70 degrees at 1280 pixels, as a camera with a moderate wide angle sees
PANORAMA_HEIGHT = 1712  # tilts of 25 degrees either way at 720 pixels
RADIUS_PX = PANORAMA_WIDTH / (2 * math.pi)  # pixels to a radian, anywhere

FLOOR_M = -1.2
CEILING_M = 1.5


@dataclass(frozen=True, slots=True)
class Wall:
    """An upright plane.

    Attributes:
        facing_deg: the direction of its nearest point.
        distance_m: the distance of that point.
    """

    facing_deg: float
    distance_m: float

    def shifted(self, nearer_m: float) -> Wall:
        """The parallel plane that is nearer by `nearer_m`."""
        return Wall(self.facing_deg, self.distance_m - nearer_m)

    def pixel(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Column and row of a point in the panorama; `x_m` is metres to the right of the wall's nearest point."""
        angle = math.atan2(x_m, self.distance_m) + math.radians(self.facing_deg)
        slope = y_m / math.hypot(x_m, self.distance_m)
        return (angle + math.pi) * RADIUS_PX, PANORAMA_HEIGHT / 2 - slope * RADIUS_PX


FRONT = Wall(0, 4.4)
RIGHT = Wall(90, 3.9)
BACK = Wall(180, 3.2)
LEFT = Wall(-90, 3.9)

CLOCK_X_M, CLOCK_Y_M, CLOCK_RADIUS_M = 2.22, 0.66, 0.18  # on the front wall
