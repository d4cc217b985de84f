"""Makes a piece of sound longer or shorter by one period of itself, so that nobody hears it. Pure.

The period is the lag at which the sound is most like itself (WSOLA); both copies are faded into each other. A vowel or
a tone stays whole, because what is left out or put in is one of its many periods.
"""

from __future__ import annotations

from array import array

SHORTEST, LONGEST = 120, 480  # 2.5 to 10 ms: voices have 60 to 400 Hz
OVERLAP = 240  # 5 ms of fading
NEEDED = LONGEST + OVERLAP  # with fewer samples, nothing is done
_COARSE = 4  # of lags and samples, for the first search


def shorten(samples: array[int]) -> int:
    """Leave out one period at the beginning, in place; returns how many samples that were."""
    if len(samples) < NEEDED:
        return 0
    lag = _best_lag(samples)
    samples[: lag + OVERLAP] = _faded(samples[:OVERLAP], samples[lag : lag + OVERLAP])
    return lag


def lengthen(samples: array[int]) -> int:
    """Put in one period at the beginning, in place; returns how many samples that were."""
    if len(samples) < NEEDED:
        return 0
    lag = _best_lag(samples)
    samples[lag : lag + OVERLAP] = (
        _faded(samples[lag : lag + OVERLAP], samples[:OVERLAP]) + samples[OVERLAP : lag + OVERLAP]
    )
    return lag


def _faded(before: array[int], after: array[int]) -> array[int]:
    """From the one to the other."""
    mixed = (
        (one * (OVERLAP - number) + other * number) // OVERLAP
        for number, (one, other) in enumerate(zip(before, after, strict=True))
    )
    return array("h", mixed)


def _best_lag(samples: array[int]) -> int:
    coarse = min(range(SHORTEST, LONGEST + 1, _COARSE), key=lambda lag: _difference(samples, lag, _COARSE))
    near = range(max(SHORTEST, coarse - _COARSE + 1), min(LONGEST, coarse + _COARSE - 1) + 1)
    return min(near, key=lambda lag: _difference(samples, lag, 1))


def _difference(samples: array[int], lag: int, step: int) -> int:
    return sum(
        abs(one - other) for one, other in zip(samples[:OVERLAP:step], samples[lag : lag + OVERLAP : step], strict=True)
    )
