"""How many sockets may be open at once, in all and for each visitor. Pure."""

from __future__ import annotations


class SocketLimit:
    """A number of seats in all, and a smaller number for each visitor; who sits has a name."""

    def __init__(self, in_all: int, for_each: int) -> None:
        self._in_all, self._for_each = in_all, for_each
        self._visitors: dict[str, str] = {}

    def take(self, visitor: str, name: str) -> bool:
        """Take a seat under a name; False where there is none."""
        seated = sum(each == visitor for each in self._visitors.values())
        if seated >= self._for_each or len(self._visitors) >= self._in_all:
            return False
        self._visitors[name] = visitor
        return True

    def is_taken(self, name: str) -> bool:
        """Whether somebody sits here under this name."""
        return name in self._visitors

    def release(self, name: str) -> None:
        """Leave the seat; leaving twice is nothing."""
        self._visitors.pop(name, None)
