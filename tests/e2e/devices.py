"""The screens that visitors have."""

from typing import NamedTuple


class Device(NamedTuple):
    """A visitor's screen."""

    name: str
    width: int
    height: int
    is_phone: bool

    @property
    def middle(self) -> tuple[int, int]:
        """The middle of the screen."""
        return self.width // 2, self.height // 2


PHONE = Device("phone", 390, 844, is_phone=True)
DESKTOP = Device("desktop", 1440, 900, is_phone=False)
