"""Whatever somebody without a session sends, each parser returns or refuses it, and soon."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.parsers import ES256_KEY, PARSERS
from tests.support.access_tokens import claims, key_set, private_key, published, signed, token
from tests.support.processor_time import bounded_processor_time

EXAMPLES = 200  # of each parser, within `make test`; `python -m benchmarks.fuzz_parsers` runs many more
MAX_BYTES = 8192
MAX_SECONDS = 0.5  # on a machine that does other things, too
SEEDS = [
    token().encode(),
    signed(b'{"alg":"RS256","kid":"first"}', json.dumps(claims()).encode()).encode(),
    key_set(published("first", private_key())),
    b"home.example.org:8080\0belvedere-8080=abc\0Bearer abc\0belvedere.v1, belvedere.ticket.abc\0https://family.example.org",
    b"[::1]:8080\0null\0cross-site\0zh-CN,zh;q=0.9,en;q=0.8\0::ffff:10.0.0.1\0203.0.113.5, 10.0.0.7",
    b"\xa3cfmtdnonegattStmt\xa0hauthDataX\x25" + b"\0" * 37,
    b'{"credential":"AA","user":"AA","client_data":"AA","authenticator_data":"AA","signature":"AA"}',
    ES256_KEY,
    b"[" * 4000,
    b"\x9b" + b"\xff" * 8,
]


def mutated(seed: bytes) -> st.SearchStrategy[bytes]:
    """A seed with a piece replaced."""
    places = st.integers(0, len(seed))
    return st.tuples(places, places, st.binary(max_size=24)).map(
        lambda change: seed[: min(change[:2])] + change[2] + seed[max(change[:2]) :]
    )


INPUTS = st.binary(max_size=300) | st.sampled_from(SEEDS).flatmap(mutated)


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_is_sent_is_parsed_or_refused(name: str) -> None:
    parser = PARSERS[name]

    @settings(max_examples=EXAMPLES)
    @given(INPUTS)
    def whatever(data: bytes) -> None:
        with bounded_processor_time(MAX_SECONDS), contextlib.suppress(*parser.refusals):
            parser.parse(data)

    for seed in SEEDS:
        try:
            parser.parse(seed)
        except parser.refusals:
            continue
    whatever()


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("byte", [b"[", b'{"a":', b"\x81", b"\x9f", b".", b"A", b"=", b",", b";", b"\0", b"\xff"])
def test_the_same_byte_many_times_is_soon_refused(name: str, byte: bytes) -> None:
    parser = PARSERS[name]
    with bounded_processor_time(MAX_SECONDS), contextlib.suppress(*parser.refusals):
        parser.parse((byte * MAX_BYTES)[:MAX_BYTES])
