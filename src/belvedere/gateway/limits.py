"""How much is too much: allowances that refill with time, and seats that are handed back. Pure: time is an argument."""

from __future__ import annotations


class Allowance:
    """A token bucket: `burst` at once, `rate_per_s` on average. A clock that goes backwards grants nothing."""

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._left = burst
        self._seen_at: float | None = None

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Use some of it; False, and nothing used, where there is not enough left."""
        if self._seen_at is not None:
            self._left = min(self._burst, self._left + max(0.0, now - self._seen_at) * self._rate_per_s)
        self._seen_at = now
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def full_again_at(self, now: float) -> float:
        """When all of it will be there again if nothing is taken before."""
        return now + (self._burst - self._left) / self._rate_per_s


class Allowances:
    """One allowance for each name, forgotten as soon as it is full again."""

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._by_name: dict[str, tuple[Allowance, float]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def take(self, now: float, name: str) -> bool:
        """Use one of this name's; False where none is left."""
        self._by_name = {each: known for each, known in self._by_name.items() if now < known[1]}
        allowance, _ = self._by_name.get(name) or (Allowance(self._rate_per_s, self._burst), now)
        is_taken = allowance.take(now)
        self._by_name[name] = (allowance, allowance.full_again_at(now))
        return is_taken


class Seats:
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

    def give_back(self, name: str) -> None:
        """Leave the seat; leaving twice is nothing."""
        self._visitors.pop(name, None)
