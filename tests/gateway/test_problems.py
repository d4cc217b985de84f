"""Every refusal has a status, and those that pass say when to come again."""

import pytest

from belvedere.errors import Refusal, StageReason
from belvedere.gateway.problems import RETRY_AFTER_S, ProblemCode, status_of


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Refusal.SOMEONE_ELSE_DRIVES, 409),
        (Refusal.HOLD_ENDED, 409),
        (Refusal.BAD_MESSAGE, 400),
        (Refusal.TOO_LARGE, 413),
        (Refusal.TOO_FAST, 429),
        (Refusal.NOT_READY, 503),
        (StageReason.BAD_OFFER, 400),
        (StageReason.NO_COMMON_CODEC, 406),
        (StageReason.NOT_FOUND, 404),
        (StageReason.TOO_MANY_VIEWERS, 503),
        (StageReason.NO_PICTURE, 503),
        (ProblemCode.NO_SESSION, 401),
        (ProblemCode.FOREIGN_ORIGIN, 403),
        (ProblemCode.UNKNOWN_HOST, 421),
        (ProblemCode.BROKEN, 500),
    ],
)
def test_the_status_says_the_same_as_the_code(code: str, status: int) -> None:
    assert status_of(code) == status


@pytest.mark.parametrize("code", [*Refusal, *StageReason, *ProblemCode])
def test_whatever_passes_by_itself_says_when(code: str) -> None:
    assert (code in RETRY_AFTER_S) == (status_of(code) in {429, 503})
