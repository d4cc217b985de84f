"""Every mutation of the core is one edit of the source as it is, and has a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.control.mutations import MUTATIONS, Mutation

import belvedere

SOURCE = Path(belvedere.__file__).parent


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_is_found_once_in_the_source(mutation: Mutation) -> None:
    source = (SOURCE / "control" / f"{mutation.module}.py").read_text(encoding="utf-8")
    assert source.count(mutation.old) == 1


def test_every_mutation_has_a_name_of_its_own() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
