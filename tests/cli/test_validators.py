import math

import pytest

from belvedere.cli.validators import between


@pytest.mark.parametrize("value", [1, 1.5, 2, None])
def test_a_number_within_the_bounds_is_taken(value: float | None) -> None:
    between(1, 2)(float, value)


@pytest.mark.parametrize("value", [0.9, 2.1, math.inf, -math.inf, math.nan])
def test_any_other_is_refused_with_what_is_allowed(value: float) -> None:
    with pytest.raises(ValueError, match=r"allowed: 1 to 2"):
        between(1, 2)(float, value)
