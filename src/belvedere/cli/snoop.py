"""`belvedere snoop`: what a phone's Bluetooth log tells about the devices it drove."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

from cyclopts import Parameter

from belvedere.cli.parameters import Json  # noqa: TC001 - cyclopts reads the annotations of a command
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from belvedere.lab.logs.analysis import LogAnalysis, Selection


STDIN = "-"
MAX_OTHERS = 8  # other logs of an archive that are named


def _refuse_options(_type: object, file: Path) -> None:
    """Only `-` itself is a file; anything longer that begins with it is a mistyped option."""
    if str(file).startswith("-") and str(file) != STDIN:
        raise OwnerError(f"Unknown option: {file}. `belvedere snoop --help` lists the options.")


def snoop(
    file: Annotated[
        Path,
        Parameter(
            help="a phone's bug report or btsnoop_hci.log, a .pklg of PacketLogger, or a pcap or pcapng capture of"
            " Bluetooth HCI, also compressed; - reads standard input",
            allow_leading_hyphen=True,
            validator=_refuse_options,
        ),
    ],
    /,
    *,
    device: Annotated[
        list[str] | None, Parameter(help="only this device, by address or name; may be repeated", negative="")
    ] = None,
    handle: Annotated[
        list[str] | None, Parameter(help="only this handle, such as 0x17; may be repeated", negative="")
    ] = None,
    json: Json = False,
    csv: Annotated[
        bool,
        Parameter(
            help="print one CSV line per value; times are seconds since 1970, UTC", negative="", show_default=False
        ),
    ] = False,
    timeline: Annotated[Path | None, Parameter(help="draw the values over local time into this .svg file")] = None,
    profile: Annotated[
        Path | None, Parameter(help="write a draft profile of the head into this new .toml file")
    ] = None,
) -> int:
    """Analyse a log and print what it holds. Raises OwnerError."""
    if importlib.util.find_spec("numpy") is None:
        raise OwnerError("reading logs needs numpy: pip install 'belvedere[lab]'")
    if json and csv:
        raise OwnerError("--json and --csv both print to the terminal: choose one")
    if timeline is not None and timeline.suffix.lower() != ".svg":
        raise OwnerError(f"{timeline}: a timeline is an SVG drawing; give a file name that ends in .svg")
    if profile is not None and profile.suffix.lower() != ".toml":
        raise OwnerError(f"{profile}: a profile is a TOML file; give a file name that ends in .toml")
    from belvedere.lab.logs.analysis import LogAnalysis  # noqa: PLC0415 - numpy is heavy

    handles = [_parse_handle(text) for text in handle or ()]
    with _seekable(file) as seekable, _unpacked(seekable, file) as log:
        with _progress(log, "reading") as on_progress:
            analysis = LogAnalysis(log, on_progress, name=str(file))
        selection = analysis.select(device or (), handles)
        if timeline is not None:
            _draw(analysis, selection, timeline, log)
        with suppress(BrokenPipeError):  # such as `| head`: the reader has seen enough
            _print(analysis, selection, log, is_json=json, is_csv=csv)
            if profile is not None or not (json or csv):
                _infer(analysis, selection, profile, is_silent=json or csv)
            sys.stdout.flush()
    return 0


@contextmanager
def _seekable(file: Path) -> Iterator[Path]:
    """The file, or a copy of what a pipe delivers, because a log is read more than once. Raises OwnerError."""
    if str(file) != STDIN and not file.is_fifo():
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise OwnerError(f"{file}: neither a file nor a pipe")
        yield file
        return
    if str(file) == STDIN and (sys.stdin is None or sys.stdin.isatty()):
        raise OwnerError(f"{file}: standard input is not a pipe; use `belvedere snoop - < FILE`, or name the file")
    with tempfile.TemporaryDirectory(prefix="belvedere-") as folder:
        copy = Path(folder) / "log"
        try:
            with _open_pipe(file) as pipe, copy.open("wb") as target:
                shutil.copyfileobj(pipe, target)
        except OSError as error:
            raise OwnerError(f"{file}: {error.strerror or error}") from error
        yield copy


@contextmanager
def _unpacked(seekable: Path, file: Path) -> Iterator[Path]:
    """The log itself, where the file is a bug report, another archive, or compressed. Raises OwnerError."""
    from belvedere.lab.logs.unpacking import found_log  # noqa: PLC0415 - numpy is heavy

    with found_log(seekable, str(file)) as log:
        if log.inside:
            print(f"belvedere: reading {log.inside} in {file}", file=sys.stderr)
        if log.others:
            print(
                f"belvedere: not read: {', '.join(log.others[:MAX_OTHERS])}; unpack them to read them", file=sys.stderr
            )
        yield log.path


def _open_pipe(file: Path) -> BinaryIO:
    """The pipe, open for reading; closing it leaves standard input open."""
    return open(sys.stdin.fileno(), "rb", closefd=False) if str(file) == STDIN else file.open("rb")


def _print(analysis: LogAnalysis, selection: Selection, file: Path, *, is_json: bool, is_csv: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.snoop_view import as_json, notes, render, write_csv  # noqa: PLC0415 - bleak is heavy

    summary = analysis.summary_of(selection)
    if is_json:
        sys.stdout.write(as_json(summary) + "\n")
    elif is_csv:
        for note in notes(summary):
            print(f"belvedere: {note}", file=sys.stderr)
        with _progress(file, "writing") as on_progress:
            write_csv(analysis.labelled_values(selection, on_progress), sys.stdout)
    else:
        Console().print(render(summary))


def _infer(analysis: LogAnalysis, selection: Selection, profile: Path | None, *, is_silent: bool) -> None:
    """Print what the commands seem to mean; draft a profile of the busiest handle that a profile can describe."""
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.inference.infer import infer  # noqa: PLC0415 - only here
    from belvedere.lab.inference_view import render  # noqa: PLC0415 - likewise
    from belvedere.lab.profile_draft import draft_profile, drafting_obstacle  # noqa: PLC0415 - likewise

    inferences = infer(analysis.streams(selection))
    if not is_silent:
        Console().print(render(inferences))
    if profile is None:
        return
    draftable = [one for one in inferences if not drafting_obstacle(one)]
    if not draftable:
        obstacle = drafting_obstacle(inferences[0]) if inferences else "nothing in this log looks like commands"
        raise OwnerError(f"{profile}: no profile can be drafted: {obstacle}")
    names = {one.label: one.name for one in analysis.summary.devices if one.name}
    try:
        with profile.open("x", encoding="utf-8") as file:  # never over a profile that somebody has worked on
            file.write(draft_profile(draftable[0], names))
    except OSError as error:
        raise OwnerError(f"{profile}: {error.strerror or error}") from error
    print(f"belvedere: wrote {profile}; try it with: belvedere probe ADDRESS --profile {profile}", file=sys.stderr)


def _draw(analysis: LogAnalysis, selection: Selection, timeline: Path, file: Path) -> None:
    from belvedere.lab.snoop_timeline import draw_timeline  # noqa: PLC0415 - bleak is heavy

    with _progress(file, "drawing") as on_progress:
        svg = draw_timeline(analysis, selection, on_progress)
    try:
        timeline.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise OwnerError(f"{timeline}: {error.strerror or error}") from error


def _parse_handle(text: str) -> int:
    try:
        handle = int(text, 0)
    except ValueError as error:
        raise OwnerError(f"--handle {text}: not a number; write it as 0x17 or 23") from error
    if not 0 <= handle <= 0xFFFF:  # noqa: PLR2004 - handles have 16 bits
        raise OwnerError(f"--handle {text}: out of range (allowed: 0 to 0xffff)")
    return handle


@contextmanager
def _progress(file: Path, label: str) -> Iterator[Callable[[int], None]]:
    """A progress bar, where standard error is a terminal; yields a function that takes the bytes done so far."""
    from rich.console import Console  # noqa: PLC0415 - only here
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - same

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=file.stat().st_size if file.is_file() else None)
        yield lambda done: progress.update(task, completed=done)
