from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.support.captures.malformed_logs import FILES, malformed_log

from belvedere.errors import OwnerError
from belvedere.lab.logs.analysis import LogAnalysis

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = 500  # `make soak` reads a million


def test_whatever_is_in_a_log_it_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "odd.log"
    read, complaints = 0, []
    for seed in range(SEEDS):
        path.write_bytes(malformed_log(Random(seed)))
        try:
            LogAnalysis(path).streams(limit=1000)
            read += 1
        except OwnerError as error:
            complaints.append(str(error))
    assert not [one for one in complaints if "\n" in one]
    assert min(read, len(complaints)) > SEEDS / 20  # both are tried


def test_the_same_seed_makes_the_same_log_and_another_another() -> None:
    assert malformed_log(Random(1)) == malformed_log(Random(1))
    assert len({malformed_log(Random(seed)) for seed in range(50)}) > 40


def test_every_kind_of_file_is_made() -> None:
    assert len({make([])[:24] for make in FILES}) >= 8
