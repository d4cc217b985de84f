"""Changes the source in one small way after the other, and tells which of the changes no test notices.

    python -m tests.mutants.run [--jobs 1] [link/write_scheduler engine ...]

Each mutant meets the like-named test module first, and, if it survives that, all tests of its package and the faults,
but for the random lives and for those on the real clock. `survivors.toml` beside this file lists those that may
survive, and why. Exits with 1 when another one does, or when too many of those listed change what the program does.

mutmut makes the mutants, of functions, not of a module's constants; `trial.py` runs the tests. What is only said (log
lines, the words of an error) is not changed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from difflib import unified_diff
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING, NamedTuple

from mutmut.__main__ import create_mutants_for_file
from mutmut.configuration import reset_config
from tests.mutants.trial import HANGS, NOTICED, SURVIVED, Asked, Candidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
SOURCES = Path("src/belvedere")
WORK = ROOT / "build/mutants"
TRIED = WORK / "mutants"  # mutmut's name for it
LISTED = Path(__file__).with_name("survivors.toml")
DEFAULT = ("control", "link", "engine", "access", "gateway/control_session")
FAULTS = Path("tests/faults")
WIDER = {"gateway": [Path(f"tests/gateway/test_control_{part}.py") for part in ("session", "runner", "socket")]}
DECORATED = (["property"], ["contextlib.contextmanager"], ["asynccontextmanager"])
MAX_MEANINGFUL_SHARE = 0.05
READ_BY_TESTS = ("contract", "examples", "web", "docs")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
do_not_mutate_patterns = ['^\\s*(log|logger)\\.', '^\\s*raise AssertionError']
"""
WORDS = re.compile(r"""(, )?(\w+=)?f?("[^"]* [^"]*"|'[^']* [^']*')|, None\b|(?<=\()None(?=\))|, (?=\))""")


class Mutant(NamedTuple):
    """Where something was changed, from which text to which."""

    where: str
    was: str
    becomes: str


class Listing(NamedTuple):
    """Mutants that may survive: those that change nothing that anybody could see, and those that do."""

    equivalent: frozenset[Mutant]
    meaningful: frozenset[Mutant]


class Outcome(NamedTuple):
    """What came of one module's mutants."""

    tried: int
    survivors: list[Mutant]


def main(arguments: list[str]) -> int:
    """Run everything that was chosen; 0 if every mutant is noticed or listed, and few enough are meaningful."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("what", nargs="*", default=DEFAULT)
    chosen = parser.parse_args(arguments)
    listing = read_listing(LISTED.read_text(encoding="utf-8"))
    began = time.monotonic()
    outcomes = try_all(modules(chosen.what), listing, chosen.jobs)
    lines, is_good = report(outcomes, listing)
    say("\n".join([*lines, f"took {(time.monotonic() - began) / 60:.0f} min"]))
    return 0 if is_good else 1


def say(text: str) -> None:
    """Say it now: a run takes long."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def modules(chosen: Iterable[str]) -> list[Path]:
    """The source files of these packages and modules, relative to the root. Raises SystemExit for an unknown one."""
    found: list[Path] = []
    for name in chosen:
        path = SOURCES / name
        files = sorted((ROOT / path).rglob("*.py")) if (ROOT / path).is_dir() else [ROOT / path.with_suffix(".py")]
        if not all(file.is_file() for file in files):
            raise SystemExit(f"no package or module of src/belvedere: {name}")
        found += [file.relative_to(ROOT) for file in files]
    return [module for module in dict.fromkeys(found) if (ROOT / own_tests(module)).is_file()]


def name_of(module: Path) -> str:
    """As this command is told of it, such as link/write_scheduler."""
    return str(module.relative_to(SOURCES).with_suffix(""))


def own_tests(module: Path) -> Path:
    """The like-named test module; a module without one has no behaviour."""
    return Path("tests") / module.relative_to(SOURCES).with_name(f"test_{module.name}")


def try_all(chosen: list[Path], listing: Listing, jobs: int) -> dict[Path, Outcome]:
    """Have every mutant of these modules met by its own tests, and the survivors by the others that matter."""
    prepare(chosen)
    made = {module: mutants_of(module) for module in chosen}
    every = {name: changed for module in chosen for name, changed in made[module].items()}
    if strays := strays_in(listing, chosen, every.values()):
        raise SystemExit("\n".join(f"listed, and no such mutant exists: {as_listed(stray)}" for stray in strays))
    candidates = [
        Candidate(name, str(own_tests(module)), has_to_be_noticed=changed not in listing.equivalent)
        for module in chosen
        for name, changed in made[module].items()
    ]
    tests = sorted({str(path) for module in chosen for path in wider_tests(module.parent)})
    survivors: dict[str, Mutant] = {}
    for count, (name, outcome) in enumerate(outcomes_of(Asked(tests, candidates, jobs)), 1):
        is_listed = every[name] in listing.equivalent
        if outcome == SURVIVED or (outcome == HANGS and is_listed):  # on a busy computer a real-time test seems to hang
            survivors[name] = every[name]
        else:
            survivors.pop(name, None)
        if count % 100 == 0:
            say(f"tried {count}: of {len(candidates)}, and then the survivors again")
        if outcome != NOTICED and not is_listed:
            say(f"{outcome}: {as_listed(every[name])}")
    return {
        module: Outcome(len(made[module]), [changed for name, changed in survivors.items() if name in made[module]])
        for module in chosen
    }


def strays_in(listing: Listing, chosen: Iterable[Path], made: Iterable[Mutant]) -> list[Mutant]:
    """What is listed of a module that is not there, or of a chosen one without being a mutant of it."""
    tried, existing = {name_of(module) for module in chosen}, frozenset(made)
    return sorted(
        listed
        for listed in listing.equivalent | listing.meaningful
        if (module_of(listed) in tried and listed not in existing)
        or not (ROOT / SOURCES / f"{module_of(listed)}.py").is_file()
    )


def module_of(changed: Mutant) -> str:
    """The name of its module, as `name_of` gives it."""
    return changed.where.partition(" ")[0]


def as_listed(changed: Mutant) -> str:
    """Its text in `survivors.toml`."""
    return json.dumps(changed, ensure_ascii=False)


def wider_tests(package: Path) -> list[Path]:
    """What may notice a mutant of this package."""
    own = Path("tests") / package.relative_to(SOURCES)
    return [*WIDER.get(own.name, [own]), FAULTS]


def prepare(chosen: Iterable[Path]) -> None:
    """Make two projects: one to make mutants of, and in its folder `mutants` the one that has them, and the tests."""
    shutil.rmtree(WORK, ignore_errors=True)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8") + SETTINGS
    for folder in (WORK, TRIED):
        shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    shutil.copytree(ROOT / "tests", TRIED / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    for name in READ_BY_TESTS:
        (TRIED / name).symlink_to(ROOT / name)
    for module in chosen:
        source = (ROOT / module).read_text(encoding="utf-8")
        (WORK / module).write_text(undecorated(source), encoding="utf-8")
        (TRIED / module).unlink()


def mutants_of(module: Path) -> dict[str, Mutant]:
    """Make them, and tell what each changes, by mutmut's name for it; those that change only words are left out."""
    with contextlib.chdir(WORK):
        reset_config()  # it is read where and when it is first asked for: while mutmut is imported
        made = create_mutants_for_file(module, TRIED / module)
    if made.error:
        raise made.error
    names = json.loads((TRIED / f"{module}.meta").read_text(encoding="utf-8"))["exit_code_by_key"]
    spans = json.loads((TRIED / f"{module}.spans").read_text(encoding="utf-8"))["spans"]
    lines = (TRIED / module).read_text(encoding="utf-8").split("\n")

    def source(name: str) -> list[str]:
        first, last = spans[name]
        return [line.replace(f"def {name}(", f"def {function_of(name)}(") for line in lines[first - 1 : last]]

    every: dict[str, Mutant] = {}
    for name in names:
        short = name.rpartition(".")[2]
        original = short.rpartition("__mutmut_")[0] + "__mutmut_orig"
        every[name] = read_mutant(module, name, "\n".join(unified_diff(source(original), source(short), lineterm="")))
    return {name: changed for name, changed in every.items() if not is_about_words(changed)}


def function_of(name: str) -> str:
    """The name that the function of a mutant has in the source."""
    mangled = name.rpartition("__mutmut_")[0]
    return mangled.rpartition("ǁ")[2] if "ǁ" in mangled else mangled.removeprefix("x_")


def outcomes_of(asked: Asked) -> Iterator[tuple[str, str]]:
    """What comes of each mutant, by its name, as it comes. Raises SystemExit if the tests cannot run."""
    log = WORK / "pytest.log"
    environment = os.environ | {"PYTHONPATH": str(TRIED / "src")}
    command = [sys.executable, "-m", "tests.mutants.trial"]
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            command, cwd=TRIED, env=environment, stdin=PIPE, stdout=PIPE, stderr=output, encoding="utf-8"
        ) as trial,
    ):
        assert trial.stdin is not None
        assert trial.stdout is not None
        with trial.stdin:
            json.dump(asked, trial.stdin)
        for line in trial.stdout:
            name, outcome = json.loads(line)
            yield name, outcome
    if trial.returncode:
        raise SystemExit(f"the tests cannot run: see {log.relative_to(ROOT)}")


def undecorated(source: str) -> str:
    """The same program with its decorators applied below each function: mutmut leaves alone what has one above."""
    lines = source.splitlines()
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for function in sorted(functions, key=lambda node: -node.lineno):
        if [ast.unparse(decorator) for decorator in function.decorator_list] not in DECORATED:
            continue
        (decorator,) = function.decorator_list
        applied = f"{function.name} = {ast.unparse(decorator)}({function.name})"
        lines.insert(function.end_lineno or 0, " " * function.col_offset + applied)
        del lines[decorator.lineno - 1]
    return "\n".join(lines) + "\n"


def read_mutant(module: Path, name: str, diff: str) -> Mutant:
    """The same from mutmut's own name (package.module.xǁClassǁfunction__mutmut_1) and its unified diff."""
    function = name.rpartition(".")[2].rpartition("__mutmut_")[0]
    function = function.removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
    lines = diff.splitlines()[2:]
    was, becomes = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Mutant(f"{name_of(module)} {function}", was, becomes)


def is_about_words(changed: Mutant) -> bool:
    """Whether only something that people read was changed."""
    was, becomes = (WORDS.sub("", text) for text in (changed.was, changed.becomes))
    return was == becomes


def read_listing(text: str) -> Listing:
    """The mutants that may survive, from `survivors.toml`."""
    kinds: dict[bool, set[Mutant]] = {True: set(), False: set()}
    for entry in tomllib.loads(text).get("because", []):
        if not entry["reason"]:
            raise ValueError("a survivor is listed without a reason")
        kinds[entry["equivalent"]].update(Mutant(*changed) for changed in entry["mutants"])
    return Listing(frozenset(kinds[True]), frozenset(kinds[False]))


def report(outcomes: Mapping[Path, Outcome], listing: Listing) -> tuple[list[str], bool]:
    """What to say at the end, and whether all is well."""
    tried = {name_of(module): outcome for module, outcome in outcomes.items()}
    in_all = Outcome(
        sum(outcome.tried for outcome in tried.values()),
        [changed for outcome in tried.values() for changed in outcome.survivors],
    )
    listed = listing.equivalent | listing.meaningful
    unlisted = [changed for changed in in_all.survivors if changed not in listed]
    noticed = sorted(changed for changed in listed - set(in_all.survivors) if module_of(changed) in tried)
    lines = [f"not noticed and not listed: {as_listed(changed)}" for changed in unlisted]
    lines += [f"listed, and noticed: {as_listed(changed)}" for changed in noticed]
    lines += [summary(name, outcome, listing) for name, outcome in tried.items()]
    lines.append(summary("all", in_all, listing))
    is_good = not unlisted and not noticed and meaningful_share(in_all, listing) < MAX_MEANINGFUL_SHARE
    return lines, is_good


def summary(name: str, outcome: Outcome, listing: Listing) -> str:
    """One line of figures."""
    equivalent = sum(changed in listing.equivalent for changed in outcome.survivors)
    meaningful = len(outcome.survivors) - equivalent
    noticed = outcome.tried - len(outcome.survivors)
    return (
        f"{name:<30}{outcome.tried:>6} tried{noticed:>6} noticed{equivalent:>5} equivalent"
        f"{meaningful:>5} survive ({meaningful_share(outcome, listing):.1%})"
    )


def meaningful_share(outcome: Outcome, listing: Listing) -> float:
    """How many survive of those that change something."""
    equivalent = sum(changed in listing.equivalent for changed in outcome.survivors)
    return (len(outcome.survivors) - equivalent) / max(1, outcome.tried - equivalent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
