"""What `make mutants` makes of what it is asked, of what mutmut says, and of the list of survivors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mutmut.mutation.file_mutation import mutate_file_contents
from tests.mutants import trial
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
from tests.mutants.trial import NOTICED, SURVIVED, Asked, Candidate

SCHEDULER = Path("src/belvedere/link/write_scheduler.py")
CHANGED = Mutant("link/write_scheduler WriteScheduler.next", "a < b", "a <= b")
DIFF = """--- src/belvedere/link/write_scheduler.py
+++ src/belvedere/link/write_scheduler.py
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
    assert modules(["link/write_scheduler"]) == [SCHEDULER]
    found = modules(["link"])
    assert SCHEDULER in found
    assert Path("src/belvedere/link/port.py") not in found


def test_what_is_no_module_is_said() -> None:
    with pytest.raises(SystemExit, match="link/currier"):
        modules(["link/currier"])


def test_a_mutant_is_known_by_its_function_and_by_what_was_changed_whatever_its_number_is() -> None:
    for number in (1, 23):
        name = f"belvedere.link.write_scheduler.xǁWriteSchedulerǁnext__mutmut_{number}"
        was, becomes = "if now < self._free_at:", "if now <= self._free_at:"
        assert read_mutant(SCHEDULER, name, DIFF) == Mutant("link/write_scheduler WriteScheduler.next", was, becomes)


def test_a_function_of_the_module_itself_is_named_alone() -> None:
    assert (
        read_mutant(SCHEDULER, "belvedere.link.write_scheduler.x_spread__mutmut_1", DIFF).where
        == "link/write_scheduler spread"
    )


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
    assert is_about_words(Mutant("link/write_scheduler WriteScheduler.next", was, becomes)) is is_said


def test_a_decorator_that_mutmut_would_leave_alone_is_applied_below_its_function() -> None:
    lines = undecorated(DECORATED).splitlines()
    assert lines[4] == "    area = property(area)"
    assert lines[8] == "    open = contextlib.contextmanager(open)"
    assert [line for line in lines if "@" in line] == ["    @staticmethod"]


def test_a_survivor_that_is_not_listed_fails_the_run() -> None:
    outcomes = {SCHEDULER: Outcome(100, [CHANGED])}
    lines, is_good = report(outcomes, Listing(frozenset(), frozenset()))
    assert not is_good
    assert "a <= b" in lines[0]
    for listing in (Listing(frozenset({CHANGED}), frozenset()), Listing(frozenset(), frozenset({CHANGED}))):
        assert report(outcomes, listing)[1]


def test_too_many_meaningful_survivors_fail_the_run_and_those_that_change_nothing_do_not() -> None:
    outcomes = {SCHEDULER: Outcome(19, [CHANGED])}
    assert not report(outcomes, Listing(frozenset(), frozenset({CHANGED})))[1]
    assert report(outcomes, Listing(frozenset({CHANGED}), frozenset()))[1]


def test_what_is_listed_and_does_not_survive_any_more_is_said_where_it_was_tried() -> None:
    listing = Listing(frozenset({CHANGED}), frozenset())
    assert "listed" in report({SCHEDULER: Outcome(100, [])}, listing)[0][0]
    elsewhere = report({Path("src/belvedere/link/connection_interval.py"): Outcome(100, [])}, listing)[0]
    assert not any("listed" in line for line in elsewhere)


def test_every_listed_survivor_has_a_reason_and_is_in_a_module_that_exists() -> None:
    listing = read_listing(LISTED.read_text(encoding="utf-8"))
    assert modules({changed.where.partition(" ")[0] for changed in listing.equivalent | listing.meaningful})
    with pytest.raises(ValueError, match="without a reason"):
        read_listing('[[because]]\nreason = ""\nequivalent = true\nmutants = []')


TRIED = """def half(number: float) -> float:
    return number / 2


def spare(number: float) -> float:
    return number + 1


def square(number: float) -> float:
    return number * number
"""
OWN = """from tried import half, square


def test_half() -> None:
    assert half(4) == 2


def test_square() -> None:
    assert square(2) {relation} 4
"""
OTHER = """from tried import square


def test_square() -> None:
    assert square(3) == 9
"""


def tried(
    project: Path, relation: str = "==", elsewhere: frozenset[str] = frozenset()
) -> tuple[int, dict[str, list[str]]]:
    """What comes of the mutants of a small module of two test modules, by function, and how the trial exits.

    The second test module is the own one of the functions `elsewhere`, as of another module that is tried as well.
    """
    mutated = mutate_file_contents("src/tried.py", TRIED)
    files = {
        "pyproject.toml": '[tool.mutmut]\nsource_paths = ["src"]\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
        'markers = ["realtime: ", "browser: "]\n',
        "conftest.py": 'from hypothesis import settings\n\nsettings.register_profile("ci")\n',
        "src/tried.py": mutated.code,
        "tests/test_tried.py": OWN.format(relation=relation),
        "tests/test_users.py": OTHER,
    }
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    own = {True: "tests/test_users.py", False: "tests/test_tried.py"}
    candidates = [
        Candidate(f"tried.{name}", own[function_in(name) in elsewhere], has_to_be_noticed=True)
        for name in mutated.mutant_names
    ]
    ran = subprocess.run(
        [sys.executable, trial.__file__],
        cwd=project,
        input=json.dumps(Asked(["tests"], candidates, 2)),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    outcomes: dict[str, list[str]] = {}
    for line in ran.stdout.splitlines():
        name, outcome = json.loads(line)
        outcomes.setdefault(function_in(name.removeprefix("tried.")), []).append(outcome)
    return ran.returncode, outcomes


def function_in(name: str) -> str:
    return name.partition("__mutmut")[0].removeprefix("x_")


def test_a_mutant_meets_its_own_tests_and_then_the_others(tmp_path: Path) -> None:
    code, outcomes = tried(tmp_path)
    assert code == 0
    assert set(outcomes["half"]) == {NOTICED}
    assert set(outcomes["spare"]) == {SURVIVED}
    assert outcomes["square"] == [NOTICED]


def test_what_its_own_tests_do_not_notice_others_may(tmp_path: Path) -> None:
    assert tried(tmp_path, relation="<=")[1]["square"] == [SURVIVED, NOTICED]


def test_the_others_are_also_the_own_tests_of_another_module_that_is_tried(tmp_path: Path) -> None:
    outcomes = tried(tmp_path, relation="<=", elsewhere=frozenset({"half"}))[1]
    assert outcomes["square"] == [SURVIVED, NOTICED]
    assert set(outcomes["half"]) == {SURVIVED, NOTICED}


def test_nothing_is_tried_with_tests_that_fail_anyway(tmp_path: Path) -> None:
    code, outcomes = tried(tmp_path, relation="!=")
    assert code != 0
    assert not outcomes
