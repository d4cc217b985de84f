"""What `make mutants` makes of what it is asked, of what mutmut says, and of the list of survivors."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mutants.run import (
    LISTED,
    Listing,
    Mutant,
    Outcome,
    is_about_words,
    modules,
    read_listing,
    read_mutant,
    report,
    undecorated,
)

COURIER = Path("src/belvedere/link/courier.py")
CHANGED = Mutant("link/courier Courier.next", "a < b", "a <= b")
DIFF = """--- src/belvedere/link/courier.py
+++ src/belvedere/link/courier.py
@@ -1,3 +1,3 @@
 def next(self, now: float) -> None:
-    if now < self._free_at:
+    if now <= self._free_at:
         return None"""
DECORATED = '''class A:
    @property
    def area(self) -> float:
        """How large it is."""
        return self.width * 2

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        yield

    @staticmethod
    def other() -> None: ...
'''


def test_a_package_is_all_of_its_modules_with_behaviour_and_a_module_is_itself() -> None:
    assert modules(["link/courier"]) == [COURIER]
    found = modules(["link"])
    assert COURIER in found
    assert Path("src/belvedere/link/port.py") not in found


def test_what_is_no_module_is_said() -> None:
    with pytest.raises(SystemExit, match="link/currier"):
        modules(["link/currier"])


def test_a_mutant_is_known_by_its_function_and_by_what_was_changed_whatever_its_number_is() -> None:
    for number in (1, 23):
        name = f"belvedere.link.courier.xǁCourierǁnext__mutmut_{number}"
        was, becomes = "if now < self._free_at:", "if now <= self._free_at:"
        assert read_mutant(COURIER, name, DIFF) == Mutant("link/courier Courier.next", was, becomes)


def test_a_function_of_the_module_itself_is_named_alone() -> None:
    assert read_mutant(COURIER, "belvedere.link.courier.x_spread__mutmut_1", DIFF).where == "link/courier spread"


@pytest.mark.parametrize(
    ("was", "becomes", "is_said"),
    [
        ('raise E(Reason.LOST, "the link is lost")', 'raise E(Reason.LOST, "XXthe link is lostXX")', True),
        ('raise E(Reason.LOST, "the link is lost")', "raise E(Reason.LOST, None)", True),
        ('raise E(Reason.LOST, "the link is lost")', "raise E(Reason.LOST, )", True),
        ('raise E(Reason.LOST, "the link is lost")', 'raise E(None, "the link is lost")', False),
        ('publish("status", status)', 'publish("STATUS", status)', False),
    ],
)
def test_only_a_change_of_what_people_read_is_about_words(was: str, becomes: str, *, is_said: bool) -> None:
    assert is_about_words(Mutant("link/courier Courier.next", was, becomes)) is is_said


def test_a_decorator_that_mutmut_would_leave_alone_is_applied_below_its_function() -> None:
    lines = undecorated(DECORATED).splitlines()
    assert lines[4] == "    area = property(area)"
    assert lines[8] == "    open = contextlib.contextmanager(open)"
    assert [line for line in lines if "@" in line] == ["    @staticmethod"]


def test_a_survivor_that_is_not_listed_fails_the_run() -> None:
    outcomes = {COURIER: Outcome(100, [CHANGED])}
    lines, is_good = report(outcomes, Listing(frozenset(), frozenset()))
    assert not is_good
    assert "a <= b" in lines[0]
    for listing in (Listing(frozenset({CHANGED}), frozenset()), Listing(frozenset(), frozenset({CHANGED}))):
        assert report(outcomes, listing)[1]


def test_too_many_meaningful_survivors_fail_the_run_and_those_that_change_nothing_do_not() -> None:
    outcomes = {COURIER: Outcome(19, [CHANGED])}
    assert not report(outcomes, Listing(frozenset(), frozenset({CHANGED})))[1]
    assert report(outcomes, Listing(frozenset({CHANGED}), frozenset()))[1]


def test_what_is_listed_and_does_not_survive_any_more_is_said_where_it_was_tried() -> None:
    listing = Listing(frozenset({CHANGED}), frozenset())
    assert "listed" in report({COURIER: Outcome(100, [])}, listing)[0][0]
    assert len(report({Path("src/belvedere/link/pace.py"): Outcome(100, [])}, listing)[0]) == 1


def test_every_listed_survivor_has_a_reason_and_is_in_a_module_that_exists() -> None:
    listing = read_listing(LISTED.read_text(encoding="utf-8"))
    assert modules({changed.where.partition(" ")[0] for changed in listing.equivalent | listing.meaningful})
    with pytest.raises(ValueError, match="without a reason"):
        read_listing('[[because]]\nreason = ""\nequivalent = true\nmutants = []')
