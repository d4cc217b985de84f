"""Random lives detect every listed mutation of the room's rules."""

from __future__ import annotations

from random import Random

import pytest
from tests.support.privacy.mutations import MUTATIONS, Mutation, mutated
from tests.support.privacy.random_life import live

LIVES = 400
STEPS = 40


def verdict_on(mutation: Mutation | None, lives: int) -> str:
    """The number of the life that detects it, or ""."""
    with mutated(mutation) as privacy:
        for seed in range(lives):
            try:
                live(Random(seed), STEPS, privacy)
            except Exception as error:  # noqa: BLE001 - whatever it breaks
                return f"life {seed}: {error!r}"
    return ""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_is_detected(mutation: Mutation) -> None:
    assert verdict_on(mutation, LIVES)


def test_the_rules_as_they_are_survive_when_built_the_same_way() -> None:
    assert verdict_on(None, 30) == ""
