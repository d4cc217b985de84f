"""Changes the source in one small way after the other, and tells which of the changes no test notices.

    python -m tests.mutants.run [--jobs 1] [link/courier engine ...]

Each mutant meets the like-named test module first, and, if it survives that, all tests of its package and the faults,
but for those on the real clock. `survivors.toml` beside this file lists those that may survive, and why. Exits with 1
when another one does, or when too many of those listed change what the program does.

mutmut makes the mutants and runs the tests. It changes functions, not constants of a module. What is only said (log
lines, the words of an error) is not counted.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mutmut.mutation.diff_apply import get_diff_for_mutant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[2]
SOURCES = Path("src/belvedere")
WORK = ROOT / "build/mutants"
LISTED = Path(__file__).with_name("survivors.toml")
DEFAULT = ("control", "link", "engine", "access", "gateway/control_session")
FAULTS = Path("tests/faults")
# What mutmut asks for by names that pytest does not find again, because of the brackets in them.
UNNAMEABLE = "tests/faults/test_drivers.py::test_garbage_huge_and_deep_messages_are_refused_and_move_nothing"
WIDER = {"gateway": [Path("tests/gateway/test_control_session.py"), Path("tests/gateway/test_control_socket.py")]}
DECORATED = (["property"], ["contextlib.contextmanager"], ["asynccontextmanager"])
MOST_MEANINGFUL_SHARE = 0.05
NEEDED = ("tests", "contract", "examples", "web", "docs")  # whatever a test may read
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {modules}
also_copy = ["contract", "examples"]
do_not_mutate_patterns = ['^\\s*(log|logger)\\.', '^\\s*raise AssertionError']
pytest_add_cli_args = [
  "-m", "not realtime and not browser", "--deselect={unnameable}", "--hypothesis-profile=ci", "-p", "no:cacheprovider",
]
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 10.0
timeout_constant = 1.0
"""
UNTESTED = "could not find any test case for any mutant"  # mutmut's words: then all of them survive
SURVIVED = {0, 5, 33, 34, None}  # mutmut's: no test failed, ran or was found; skipped; not tried
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
    outcomes: dict[Path, Outcome] = {}
    for package, of_package in groupby(modules(chosen.what), key=lambda module: module.parent):
        outcomes.update(try_package(package, list(of_package), chosen.jobs))
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
    return [module for module in found if (ROOT / own_tests(module)).is_file()]


def name_of(module: Path) -> str:
    """As this command is told of it, such as link/courier."""
    return str(module.relative_to(SOURCES).with_suffix(""))


def own_tests(module: Path) -> Path:
    """The like-named test module; a module without one has no behaviour."""
    return Path("tests") / module.relative_to(SOURCES).with_name(f"test_{module.name}")


def try_package(package: Path, chosen: list[Path], jobs: int) -> dict[Path, Outcome]:
    """Have every mutant of these modules met by its own tests, and the survivors by the others that matter."""
    counts: dict[Path, int] = {}
    survivors: dict[Path, dict[str, Mutant]] = {}
    for module in chosen:
        folder = prepare(WORK / name_of(module), [module])
        results = run_mutmut(folder, [module], [own_tests(module)], jobs)[module]
        unnoticed = {name: mutant(folder, module, name) for name in survivors_of(results)}
        survivors[module] = {name: changed for name, changed in unnoticed.items() if not is_about_words(changed)}
        counts[module] = len(results) - len(unnoticed) + len(survivors[module])
        say(f"{name_of(module)}: {counts[module]} mutants, {len(survivors[module])} survive its own tests")
    left = [module for module in chosen if survivors[module]]
    if left:
        names = [name for module in left for name in survivors[module]]
        again = run_mutmut(prepare(WORK / f"{package.name}-all", left), left, wider_tests(package), jobs, names)
        for module in left:
            still = survivors_of({name: again[module][name] for name in survivors[module]})
            survivors[module] = {name: survivors[module][name] for name in still}
            say(f"{name_of(module)}: {len(still)} survive all tests that matter")
    return {module: Outcome(counts[module], list(survivors[module].values())) for module in chosen}


def wider_tests(package: Path) -> list[Path]:
    """What else may notice a mutant of this package."""
    own = Path("tests") / package.relative_to(SOURCES)
    return [*WIDER.get(own.name, [own]), FAULTS]


def prepare(folder: Path, chosen: Iterable[Path]) -> Path:
    """A fresh folder in which mutmut finds a project, and leaves its mutants."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEEDED:
        (folder / name).symlink_to(ROOT / name)
    for module in chosen:
        source = (ROOT / module).read_text(encoding="utf-8")
        (folder / module).write_text(undecorated(source), encoding="utf-8")
    return folder


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


def run_mutmut(
    folder: Path, chosen: list[Path], tests: Iterable[Path], jobs: int, names: Iterable[str] = ()
) -> dict[Path, dict[str, int | None]]:
    """What each mutant's tests exited with, by module and name. Raises SystemExit if mutmut itself fails."""
    settings = SETTINGS.format(unnameable=UNNAMEABLE, modules=in_toml(chosen), tests=in_toml(tests))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project + settings, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(jobs), *names]
    log = folder / "mutmut.log"
    with log.open("w", encoding="utf-8") as output:
        ran = subprocess.run(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=False)
    if ran.returncode and UNTESTED not in log.read_text(encoding="utf-8"):
        raise SystemExit(f"mutmut failed with {ran.returncode}: see {log.relative_to(ROOT)}")
    return {module: read_results(folder / "mutants" / f"{module}.meta") for module in chosen}


def in_toml(paths: Iterable[Path]) -> str:
    """These paths as a list in TOML."""
    return json.dumps([str(path) for path in paths])


def read_results(path: Path) -> dict[str, int | None]:
    """What mutmut keeps of a module: what each mutant's tests exited with, by its name."""
    results: dict[str, int | None] = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return results


def survivors_of(results: Mapping[str, int | None]) -> list[str]:
    """The names of those that no test noticed; to hang or to crash is to be noticed."""
    return [name for name, code in results.items() if code in SURVIVED]


def mutant(folder: Path, module: Path, name: str) -> Mutant:
    """What mutmut calls by this name."""
    with contextlib.chdir(folder):
        diff = get_diff_for_mutant(name, path=module)
    return read_mutant(module, name, diff)


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
    count = sum(outcome.tried for outcome in outcomes.values())
    survivors = [changed for outcome in outcomes.values() for changed in outcome.survivors]
    equivalent = sum(changed in listing.equivalent for changed in survivors)
    unlisted = [changed for changed in survivors if changed not in listing.equivalent | listing.meaningful]
    meaningful = len(survivors) - equivalent
    tried = {name_of(module) for module in outcomes}
    gone = sorted(
        changed
        for changed in (listing.equivalent | listing.meaningful) - set(survivors)
        if changed.where.partition(" ")[0] in tried
    )
    share = meaningful / (count - equivalent) if count > equivalent else 0.0
    lines = [f"not noticed and not listed: {json.dumps(changed, ensure_ascii=False)}" for changed in unlisted]
    lines += [f"listed, and noticed or gone: {json.dumps(changed, ensure_ascii=False)}" for changed in gone]
    lines.append(
        f"{count} mutants: {count - len(survivors)} noticed, {equivalent} change nothing, "
        f"{meaningful} survive ({share:.1%}), {len(unlisted)} of them not listed"
    )
    return lines, not unlisted and share < MOST_MEANINGFUL_SHARE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
